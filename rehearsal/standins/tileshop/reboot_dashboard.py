"""The dashboard: gunicorn reboot_dashboard:app. Socket.IO events: echo, and a tick each second."""

import time
from threading import Lock

import psycopg2
from flask import Flask, jsonify, render_template, request
from flask_socketio import SocketIO, emit

import database
import faults

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading")
clients: set[str] = set()
ticker_lock = Lock()
ticker = None


def serving() -> bool:
    """False once this process is told to stop; gunicorn.conf.py puts the worker's own state here."""
    return True


@app.before_request
def faulty():
    while faults.read("FAULT") == "hang":
        if not serving():
            return "stopping", 503
        time.sleep(0.2)


@app.get("/")
def index():
    return render_template("index.html")


@app.get("/health")
def health():
    if faults.read("FAULT") == "health":
        return jsonify(status="unhealthy", fault="health"), 503
    if database.configured():
        try:
            with database.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error as error:
            app.logger.warning("health: %s", str(error).strip())
            return jsonify(status="unhealthy", error="the database doesn't answer"), 503
    return jsonify(status="healthy")


@app.get("/version")
def version():
    return jsonify(faults.facts())


@app.get("/slow")
def slow():
    """Answers late: a request in flight, for tests of redeploys."""
    time.sleep(min(request.args.get("seconds", 1, type=float), 60))
    return jsonify(faults.facts())


@app.get("/products")
def products():
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(scraped_at) FROM product_data")
        count, last = cursor.fetchone()
    return jsonify(count=count, last_scraped=last and last.isoformat())


@socketio.on("connect")
def connected():
    global ticker
    clients.add(request.sid)
    with ticker_lock:
        ticker = ticker or socketio.start_background_task(tick)


@socketio.on("disconnect")
def disconnected(_reason=None):
    clients.discard(request.sid)


@socketio.on("echo")
def echo(message):
    emit("echo", message)


def tick():
    """Tells the time each second; when the process is told to stop, asks its clients to connect elsewhere."""
    while serving():
        socketio.emit("tick", {"time": time.time(), "version": faults.VERSION})
        socketio.sleep(1)
    socketio.emit("draining", {"version": faults.VERSION})
    for sid in list(clients):
        socketio.server.disconnect(sid)
