# shellcheck shell=bash disable=SC2154
# Part of `cloudwatch` and `alert`: calls of AWS with the machine's own role, and with no key that somebody has left here.

# call <service> <arguments…>: the AWS CLI with REGION and ENDPOINT of `config`; what it says of a failure is in $work/error. One
# try, or CALL_TRIES: who must know of the first tries again by itself.
call() {
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u AWS_PROFILE -u AWS_REGION -u AWS_DEFAULT_REGION \
    AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_DEFAULT_REGION="${config[REGION]}" AWS_PAGER='' \
    AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS="${CALL_TRIES:-1}" timeout "${CALL_SECONDS:-60}" \
    aws ${config[ENDPOINT]:+--endpoint-url "${config[ENDPOINT]}"} --cli-connect-timeout 10 --cli-read-timeout 30 --output json "$@" 2>"$work/error"
}
