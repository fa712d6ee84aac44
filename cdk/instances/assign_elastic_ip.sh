#!/bin/bash
# Gives this EC2 instance an Elastic IP of its service, and returns when the instance is known by it. An instance that has
# one keeps it; otherwise the free one of the lowest number is taken. Ends with 1 when there is none for ten minutes: the
# instance is of no use then, since clients could not find it.
#
#   assign_elastic_ip.sh <service> <region>
#
# An Elastic IP of the service has the tags `service`, its name, and `priority`, a number. Two instances may want the same
# one: EC2 gives it to one of them, and the other takes the next.
set -euo pipefail

service=$1
export AWS_DEFAULT_REGION=$2
metadata="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}"
wait_seconds="${WAIT_SECONDS:-600}"

say() {
    echo "elastic IP: $1" >&2
}

ask_metadata() {
    local token ask=(curl --silent --show-error --fail --noproxy '*' --max-time 2 --retry 3 --retry-connrefused)
    token=$("${ask[@]}" --request PUT --header "X-aws-ec2-metadata-token-ttl-seconds: 60" "$metadata/latest/api/token") &&
        "${ask[@]}" --header "X-aws-ec2-metadata-token: $token" "$metadata/latest/meta-data/$1"
}

# Prints a line for each Elastic IP of the service, in their order: priority, allocation, address, and the instance that
# has it, or None. What belongs to something else than an instance has an association all the same.
elastic_ips() {
    aws ec2 describe-addresses --filters "Name=tag:service,Values=$service" --output text --query \
        "Addresses[].[Tags[?Key=='priority']|[0].Value, AllocationId, PublicIp, InstanceId || AssociationId || 'None']" |
        sort --numeric-sort
}

# Leaves in $address the Elastic IP that this instance has now.
take_one() {
    local listed allocation found owner
    listed=$(elastic_ips) || return 1
    while read -r _ _ found owner; do
        if [[ $owner == "$instance" ]]; then
            address=$found
            return 0
        fi
    done <<< "$listed"
    while read -r _ allocation found owner; do
        # Unless it is forbidden, EC2 takes an Elastic IP away from the instance that has it.
        if [[ $owner == None ]] && aws ec2 associate-address --no-allow-reassociation --output text \
            --instance-id "$instance" --allocation-id "$allocation" > /dev/null; then
            address=$found
            return 0
        fi
    done <<< "$listed"
    say "none of service $service is free"
    return 1
}

is_known_by_it() {
    [[ $(ask_metadata public-ipv4) == "$address" ]]
}

wait_for() {
    until "$1"; do
        if ((SECONDS >= wait_seconds)); then
            say "gives up after $wait_seconds seconds"
            exit 1
        fi
        sleep $((RANDOM % 3 + 1))
    done
}

command -v aws > /dev/null || dnf install --quiet --assumeyes awscli-2

address=
instance=$(ask_metadata instance-id)
wait_for take_one
say "$instance has $address"
wait_for is_known_by_it
