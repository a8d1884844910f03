#!/usr/bin/env bash
# A SLURM cluster of two nodes on one machine, for one command, then gone.
#
#   cluster.sh COMMAND ...     run a command that may call sbatch, squeue, scancel, scontrol ...
#   cluster.sh --can-run       say in one line why this machine cannot do it, status 1; or nothing
#
# slurmctld, two slurmd (node1, node2, each with a host name of its own) and munge run in private
# namespaces of mounts, network (loopback only), host names and processes. Nothing is installed: the
# packages of Debian are unpacked beside, and laid over /usr inside of the namespace. When the command
# ends, or after LIMIT seconds, all processes of the cluster end with it.
# Status: that of the command; 2 = cannot be done here; 3 = the cluster did not come up; 124 = too late.
set -euo pipefail
ROOT=${SLURMTEST_ROOT:-${TMPDIR:-/tmp}/rvos-slurm-$(id -u)}
LIMIT=${LIMIT:-1200}
PACKAGES="libhwloc15 liblua5.1-0 libmunge2 munge slurm-wlm-basic-plugins slurm-client slurmctld slurmd"
# "debian 12" unpacks libraries of another age over those of another system.
DEBIAN="debian $(. /etc/os-release 2>/dev/null && echo "${VERSION_ID-}")"
export ROOT LIMIT

why_not() {
    [ "$(id -u)" = 0 ] || { echo "needs root, for private namespaces"; return; }
    grep -qs '^ID=debian$' /etc/os-release || { echo "needs Debian, for its packages of SLURM"; return; }
    local tool
    for tool in unshare ip flock dpkg apt-get; do
        command -v "$tool" >/dev/null || { echo "needs $tool"; return; }
    done
    mkdir -p "$ROOT/probe"/{lower,target}
    unshare --mount --net --uts --pid --fork --mount-proc bash -c "mount --make-rprivate / && ip link set lo up \
        && mount -t overlay probe -o lowerdir=$ROOT/probe/lower:/usr $ROOT/probe/target" 2>/dev/null \
        || { echo "may not create namespaces or mounts here"; return; }
    [ "$(cat "$ROOT/prefix/.done" 2>/dev/null)" = "$DEBIAN" ] && return
    rm -rf "$ROOT/debs" "$ROOT/prefix"
    unpack >"$ROOT/unpack.log" 2>&1 || echo "cannot get Debian's packages, see $ROOT/unpack.log"
}

unpack() {
    mkdir -p "$ROOT/debs" "$ROOT/prefix"
    cd "$ROOT/debs"
    # shellcheck disable=SC2086
    timeout 120 apt-get download -q $PACKAGES \
        || { timeout 120 apt-get update -q && timeout 120 apt-get download -q $PACKAGES; } || return 1
    local package program
    for package in *.deb; do dpkg -x "$package" "$ROOT/prefix" || return 1; done
    # What update-alternatives does where they are installed.
    for program in slurmctld slurmd slurmstepd; do
        ln -sf "$program-wlm" "$ROOT/prefix/usr/sbin/$program"
    done
    echo "$DEBIAN" >"$ROOT/prefix/.done"
}

if [ "${1-}" != --inside ]; then
    reason=$(why_not)
    if [ -n "$reason" ]; then echo "no SLURM cluster here: $reason"; [ "${1-}" = --can-run ] && exit 1; exit 2; fi
    if [ "${1-}" = --can-run ]; then
        LIMIT=120 bash "$0" true >"$ROOT/trial.log" 2>&1 && exit 0
        echo "no SLURM cluster here: it does not come up, see $ROOT/trial.log"
        exit 1
    fi
    exec 9>"$ROOT/.lock"
    flock -n 9 || { echo "another run is under way in $ROOT" >&2; exit 2; }
    exec timeout -k 5 "$LIMIT" unshare --mount --net --uts --pid --fork --kill-child --mount-proc \
        bash "$0" --inside "$@"
fi

shift
trap 'exit 143' TERM INT
STATE=$ROOT/state
rm -rf "$STATE"
mkdir -p "$STATE"/{munge,ctld,log,socket,spool.node1,spool.node2}
chmod 755 "$STATE"
chmod 700 "$STATE/munge"
# SLURM finds no address to listen on where a machine has 127.0.0.1 alone.
ip link set lo up
for i in 1 2 3; do ip addr add "10.77.0.$i/32" dev lo; done
hostname ctl
mount --make-rprivate /
mount -t overlay slurm -o "lowerdir=$ROOT/prefix/usr:/usr" /usr
printf '127.0.0.1 localhost\n10.77.0.1 ctl\n10.77.0.2 node1\n10.77.0.3 node2\n' >"$STATE/hosts"
mount --bind "$STATE/hosts" /etc/hosts
mount -t tmpfs -o mode=755 none "$STATE/socket"

dd if=/dev/urandom of="$STATE/munge/key" bs=1024 count=1 status=none
chmod 400 "$STATE/munge/key"
munged --force --num-threads 2 --key-file "$STATE/munge/key" --socket "$STATE/socket/munge" \
    --pid-file "$STATE/socket/munge.pid" --seed-file "$STATE/munge/seed" --log-file "$STATE/munge/log"

# cred_expire: a requeued job starts again after so many seconds, by default after 120.
# sched_interval: how often the controller looks for such jobs, by default every 60 seconds.
cat >"$STATE/slurm.conf" <<CONF
ClusterName=loop
SlurmctldHost=ctl
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$STATE/socket/munge,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2
SlurmctldPort=16817
StateSaveLocation=$STATE/ctld
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdSpoolDir=$STATE/spool.%n
SlurmdPidFile=$STATE/slurmd.%n.pid
SlurmdLogFile=$STATE/log/slurmd.%n.log
KillWait=30
UnkillableStepTimeout=60
MailProg=/bin/true
NodeName=node1 NodeAddr=10.77.0.2 Port=17001 CPUs=4 RealMemory=4000 State=UNKNOWN
NodeName=node2 NodeAddr=10.77.0.3 Port=17002 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=node[1-2] Default=YES MaxTime=60 OverTimeLimit=0 State=UP
CONF
export SLURM_CONF=$STATE/slurm.conf
slurmctld -D >"$STATE/log/slurmctld.out" 2>&1 &
for node in node1 node2; do
    unshare --uts bash -c "hostname $node; exec slurmd -D -N $node" >"$STATE/log/$node.out" 2>&1 &
done
states() { timeout 5 sinfo -h -N -o '%N=%t' 2>&1 | tr '\n' ' ' || true; }
for _ in $(seq 120); do
    [ "$(states)" = 'node1=idle node2=idle ' ] && break
    sleep 0.25
done
[ "$(states)" = 'node1=idle node2=idle ' ] || { tail -n 20 "$STATE"/log/*; exit 3; }

status=0
"$@" || status=$?
scontrol shutdown >/dev/null 2>&1 || true
for _ in $(seq 40); do [ -z "$(jobs -r)" ] && break; sleep 0.25; done
exit "$status"
