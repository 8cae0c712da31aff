"""Deleted ElastiCache groups, which moto shows as `deleting` for ever."""

from moto.elasticache.models import ElastiCacheBackend


def delete_replication_group(original):
    def delete(self, replication_group_id, retain_primary_cluster):
        members = list(getattr(self.replication_groups.get(replication_group_id), "member_clusters", []))
        group = original(self, replication_group_id, retain_primary_cluster)
        del self.replication_groups[replication_group_id]
        if not retain_primary_cluster:
            for member in members:
                self.cache_clusters.pop(member, None)
        return group

    return delete


def install():
    ElastiCacheBackend.delete_replication_group = delete_replication_group(ElastiCacheBackend.delete_replication_group)
