"""What of ElastiCache moto lacks: groups that end, subnet groups that change, and parameter groups."""

import re

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import CacheSubnetGroup, ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

import backends

# Families as of DescribeCacheEngineVersions.
FAMILY = re.compile(r"memcached1\.[456]|redis(2\.[68]|3\.2|4\.0|5\.0|6\.x|7)|valkey[789]")
groups = {}


class Refused(ElastiCacheException):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def delete_replication_group(original):
    """moto shows a deleted group as `deleting` for ever."""

    def delete(self, replication_group_id, retain_primary_cluster):
        members = list(getattr(self.replication_groups.get(replication_group_id), "member_clusters", []))
        group = original(self, replication_group_id, retain_primary_cluster)
        del self.replication_groups[replication_group_id]
        if not retain_primary_cluster:
            for member in members:
                self.cache_clusters.pop(member, None)
        return group

    return delete


def last_snapshot(original):
    """moto forgets the snapshot that is asked for when a group is deleted."""

    def delete(self):
        name = self._get_param("FinalSnapshotIdentifier")
        if name is not None:
            self.elasticache_backend.create_snapshot(name, self._get_param("ReplicationGroupId"), None, None, [])
        return original(self)

    return delete


def create_replication_group(original):
    def create(self):
        name = self._get_param("CacheParameterGroupName")
        if name is not None and not name.startswith("default."):
            parameter_group(self, name)
        return original(self)

    return create


def used_by(self, attribute, name):
    return [one for one in self.elasticache_backend.replication_groups.values() if getattr(one, attribute) == name]


def subnet_group(self):
    name = self._get_param("CacheSubnetGroupName")
    return self.elasticache_backend.describe_cache_subnet_groups(name)[0]


def modify_cache_subnet_group(self):
    old = subnet_group(self)
    new = CacheSubnetGroup(
        account_id=backends.account,
        region_name=self.region,
        cache_subnet_group_name=old.cache_subnet_group_name,
        cache_subnet_group_description=self._get_param("CacheSubnetGroupDescription")
        or old.cache_subnet_group_description,
        subnet_ids=self._get_param("SubnetIds") or old.subnet_ids,
        tags=old.tags,
    )
    self.elasticache_backend.cache_subnet_groups[old.cache_subnet_group_name] = new
    return ActionResult({"CacheSubnetGroup": new})


def delete_cache_subnet_group(self):
    name = subnet_group(self).cache_subnet_group_name
    if used_by(self, "cache_subnet_group_name", name):
        raise Refused("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a cache cluster.")
    del self.elasticache_backend.cache_subnet_groups[name]
    return EmptyResult()


def parameter_group(self, name=None):
    name = name or self._get_param("CacheParameterGroupName")
    group = groups.get((self.region, name))
    if group is None:
        raise Refused("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
    return group


def create_cache_parameter_group(self):
    name, family = self._get_param("CacheParameterGroupName"), self._get_param("CacheParameterGroupFamily")
    if (self.region, name) in groups:
        raise Refused("CacheParameterGroupAlreadyExists", f"Parameter group {name} already exists.")
    if not FAMILY.fullmatch(family):
        text = f"CacheParameterGroupFamily {family} is not a valid parameter group family."
        raise Refused("InvalidParameterValue", text)
    group = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": family,
        "Description": self._get_param("Description"),
        "IsGlobal": False,
        "ARN": f"arn:aws:elasticache:{self.region}:{backends.account}:parametergroup:{name}",
    }
    groups[self.region, name] = {"facts": group, "set": {}}
    self.elasticache_backend.add_tags_to_resource(group["ARN"], self._get_param("Tags", []))
    return ActionResult({"CacheParameterGroup": group})


def describe_cache_parameter_groups(self):
    if self._get_param("CacheParameterGroupName"):
        return ActionResult({"CacheParameterGroups": [parameter_group(self)["facts"]]})
    own = [group["facts"] for (region, _), group in groups.items() if region == self.region]
    return ActionResult({"CacheParameterGroups": own})


def describe_cache_parameters(self):
    """Only those that somebody set: a family's own defaults aren't kept here."""
    if self._get_param("Source") != "user":
        raise Refused("InvalidParameterValue", "The rehearsal knows only the parameters of the source 'user'.")
    values = parameter_group(self)["set"]
    listed = [{"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in values.items()]
    return ActionResult({"Parameters": listed})


def modify_cache_parameter_group(self):
    group = parameter_group(self)
    for one in self._get_param("ParameterNameValues", []):
        group["set"][one["ParameterName"]] = one["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": group["facts"]["CacheParameterGroupName"]})


def reset_cache_parameter_group(self):
    group = parameter_group(self)
    if self._get_param("ResetAllParameters") in (True, "true"):
        group["set"].clear()
    for one in self._get_param("ParameterNameValues", []):
        group["set"].pop(one["ParameterName"], None)
    return ActionResult({"CacheParameterGroupName": group["facts"]["CacheParameterGroupName"]})


def delete_cache_parameter_group(self):
    name = parameter_group(self)["facts"]["CacheParameterGroupName"]
    if used_by(self, "cache_parameter_group_name", name):
        text = f"One or more cache clusters are still using parameter group {name}."
        raise Refused("InvalidCacheParameterGroupState", text)
    del groups[self.region, name]
    return EmptyResult()


def list_tags_for_resource(original):
    """moto knows the tags of a parameter group, but not that such a group has an ARN."""

    def tags(self, arn):
        if ":parametergroup:" in arn:
            return self.tagging_service.list_tags_for_resource(arn)
        return original(self, arn)

    return tags


def install():
    backend = ElastiCacheBackend
    backend.delete_replication_group = delete_replication_group(backend.delete_replication_group)
    backend.list_tags_for_resource = list_tags_for_resource(backend.list_tags_for_resource)
    ElastiCacheResponse.create_replication_group = create_replication_group(
        ElastiCacheResponse.create_replication_group
    )
    ElastiCacheResponse.delete_replication_group = last_snapshot(ElastiCacheResponse.delete_replication_group)
    for method in (
        modify_cache_subnet_group,
        delete_cache_subnet_group,
        create_cache_parameter_group,
        describe_cache_parameter_groups,
        describe_cache_parameters,
        modify_cache_parameter_group,
        reset_cache_parameter_group,
        delete_cache_parameter_group,
    ):
        setattr(ElastiCacheResponse, method.__name__, method)
