# shellcheck shell=bash
# How the media proxy finds the addresses of the machine it runs on. Sourced by entrypoint.sh and healthcheck.sh.

# The address that packets to the internet leave from. Only the routing table is asked, nothing is sent; 192.0.2.1 is a
# documentation address (RFC 5737), which no host has.
default_route_address() {
    local route
    route=$(ip -4 route get 192.0.2.1 2> /dev/null) || return 1
    [[ $route =~ \ src\ ([0-9.]+) ]] && echo "${BASH_REMATCH[1]}"
}

# The address that EC2 maps to this instance; asked with a session token (IMDSv2). 16 seconds at most. The variable is
# the one that the AWS SDKs know.
instance_metadata_address() {
    local endpoint="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}" token
    local ask=(curl --silent --show-error --fail --noproxy '*' --max-time 2 --retry 2 --retry-delay 1
        --retry-connrefused --retry-max-time 6)
    token=$("${ask[@]}" --request PUT --header "X-aws-ec2-metadata-token-ttl-seconds: 60" \
        "${endpoint%/}/latest/api/token") || return 1
    "${ask[@]}" --header "X-aws-ec2-metadata-token: $token" "${endpoint%/}/latest/meta-data/public-ipv4"
}
