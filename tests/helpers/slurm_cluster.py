"""A real Slurm on this machine, for tests: one node that claims to have eight cores and two GPUs."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "sinfo")

CONFIG = """\
ClusterName=ci
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/munge.sock
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
PropagateResourceLimits=NONE
ReturnToService=2
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MinJobAge=3600
KillWait=2
InactiveLimit=0
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=64000 Gres=gpu:2
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""


def lacking() -> str | None:
    """Why Slurm cannot be started here, or None."""
    if os.geteuid() != 0:
        return "only root can start Slurm"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until a condition holds. After `seconds`, fail with `what` was awaited."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


# Nextflow polls often, and tasks ask for so little that many of them run on one node at once.
QUICK = """\
executor { pollInterval = '500 ms'; queueStatInterval = '1 sec'; exitReadTimeout = '10 sec'; submitRateLimit = '20/1sec' }
process.memory = { 500.MB * task.attempt }
process.'withLabel:parallel'.cpus = 2
process.'withLabel:parallel'.memory = { 1.GB * task.attempt }
process.'withLabel:gpu'.cpus = 1
process.'withLabel:gpu'.memory = { 1.GB * task.attempt }
process.'withName:EMBED_KMERS'.memory = { 500.MB * task.attempt }
"""


class Cluster:
    """A cluster that starts when it is created. `environment`: variables for its clients; `quick`: a configuration for quick
    runs of the pipeline; `options`: the words on Nextflow's command line that select the profile and this configuration."""

    def __init__(self, folder: Path):
        self.folder, self.node = folder, socket.gethostname().split(".")[0]
        for name in ("", "state", "spool", "log", "munge"):
            (folder / name).mkdir(mode=0o755, exist_ok=True)
            (folder / name).chmod(0o755)
        (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
        (folder / "munge.key").chmod(0o400)
        config = folder / "slurm.conf"
        config.write_text(CONFIG.format(host=self.node, folder=folder, port=free_port(), node_port=free_port()))
        # Slurm would call the node invalid if the GPUs had no device files.
        (folder / "gres.conf").write_text(f"NodeName={self.node} Name=gpu File=/dev/null,/dev/zero Flags=nvidia_gpu_env\n")
        self.environment = {"SLURM_CONF": str(config)}
        self.quick = folder / "quick.config"
        self.quick.write_text(QUICK)
        self.options = ("-profile", "slurm", "-c", self.quick)
        try:
            self._start(
                "munged",
                "--force",
                f"--key-file={folder}/munge.key",
                f"--socket={folder}/munge/munge.sock",
                f"--pid-file={folder}/munge/munged.pid",
                f"--log-file={folder}/log/munged.log",
                f"--seed-file={folder}/munge/seed",
            )
            self._start("slurmctld", "-f", str(config))
            self._start("slurmd", "-f", str(config), "-N", self.node)
            until(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T", "-p", "cpu"), 30, "the node to be idle")
        except BaseException:
            self.stop()
            raise

    def _start(self, *command: str) -> None:
        subprocess.run(command, env=os.environ | self.environment, check=True, capture_output=True, timeout=30)

    def call(self, *command: str) -> str:
        """The output of one of Slurm's commands."""
        return subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=30).stdout

    def jobs(self) -> list[dict[str, str]]:
        """Slurm's own record of each job: JobId, JobName, JobState, StartTime, EndTime, TresPerNode and others."""
        records = self.call("scontrol", "show", "job", "--oneliner").splitlines()
        return [
            dict(word.split("=", 1) for word in record.split() if "=" in word)
            for record in records
            if record.startswith("JobId=")
        ]

    def stop(self) -> None:
        """Cancel all jobs and stop the daemons by their process ids."""
        if (self.folder / "slurmctld.pid").exists():
            self.call("scancel", "-u", "root")
        for name in ("slurmd.pid", "slurmctld.pid", "munge/munged.pid"):
            path = self.folder / name
            if path.exists():
                pid = int(path.read_text())
                os.kill(pid, signal.SIGTERM)
                until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), 30, f"{name} to end")
