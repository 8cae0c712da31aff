from shopifly import store


def test_scrape_then_classify(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_DB_PATH", str(tmp_path / "shopifly.db"))
    assert store.scrape("reddit", 3) == 3
    assert store.classify(2, "a-model") == 2
    assert store.stats()["sources"] == {"reddit": 3}
    assert store.stats()["classified"] == 2
