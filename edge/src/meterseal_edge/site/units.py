"""systemd units of a site: edge, mosquitto's drop-in, a weekly renewal, a nightly backup.

Hardened: each may write its own data alone, and neither edge nor broker can see the authority's folder. What is not
confined here: the network, since broker and registry may have any address; narrow it by IPAddressAllow= in a drop-in of
your own.
"""

import sys
from pathlib import Path

from meterseal_edge.site.layout import Layout

EDGE_UNIT, BROKER_UNIT = "meterseal-edge.service", "mosquitto.service.d/meterseal.conf"
RENEW_UNIT, RENEW_TIMER = "meterseal-renew.service", "meterseal-renew.timer"
BACKUP_UNIT, BACKUP_TIMER = "meterseal-backup.service", "meterseal-backup.timer"
HARDENED = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
UMask=0077
"""
# It gives files to two users and a signal to a third, so it needs these rights of root, and sees other processes.
RENEWING = (
    HARDENED.replace("ProtectProc=invisible\n", "")
    .replace("SystemCallFilter=~@privileged @resources\n", "")
    .replace(
        "CapabilityBoundingSet=\n", "CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL\n"
    )
)
EDGE = """\
[Unit]
Description=MeterSeal edge {edge} of {site}
Wants=network-online.target
After=network-online.target mosquitto.service time-sync.target
StartLimitIntervalSec=0

[Service]
User={user}
ExecStart={python} -m meterseal_edge {settings}
Restart=always
RestartSec=2
TimeoutStopSec=30
{hardened}\
ReadWritePaths={state}
InaccessiblePaths={authority}

[Install]
WantedBy=multi-user.target
"""
# What the distribution does before the start (folders for a log and a process number) is not needed, and would fail.
BROKER = """\
[Service]
User={user}
ExecStartPre=
ExecStart=
ExecStart=/usr/sbin/mosquitto -c {folder}/mosquitto.conf
ExecReload=
ExecReload=/bin/kill -HUP $MAINPID
Type=simple
Restart=always
RestartSec=2
LimitNOFILE=4096
{hardened}\
ReadWritePaths={folder}/data
InaccessiblePaths={authority}
"""
RENEW = """\
[Unit]
Description=Renew MeterSeal certificates of {site}

[Service]
Type=oneshot
ExecStart={python} -m meterseal_tools edge renew {site_folder} --within 30d
{renewing}\
ReadWritePaths={site_folder}
"""
BACKUP = """\
[Unit]
Description=Back up MeterSeal edge {edge} of {site}

[Service]
Type=oneshot
User={user}
ExecStart={python} -m meterseal_tools edge backup {settings}
{hardened}\
ReadWritePaths={state} {backups}
InaccessiblePaths={authority}
"""
TIMER = """\
[Unit]
Description={what}

[Timer]
OnCalendar={when}
RandomizedDelaySec=1h
Persistent=yes

[Install]
WantedBy=timers.target
"""


def units(layout: Layout, names: tuple[str, str], users: tuple[str, str], backups: Path) -> dict[str, str]:
    """Every unit by its path below /etc/systemd/system; `names` are site and edge, `users` the edge's and broker's."""
    site, edge = names
    words = {
        "site": site,
        "edge": edge,
        "python": sys.executable,
        "hardened": HARDENED,
        "authority": layout.authority,
        "renewing": RENEWING,
    }
    words |= {"settings": layout.settings, "state": layout.state, "site_folder": layout.folder}
    words |= {"backups": backups, "user": users[0]}
    return {
        EDGE_UNIT: EDGE.format(**words),
        BROKER_UNIT: BROKER.format(**words | {"user": users[1], "folder": layout.broker}),
        RENEW_UNIT: RENEW.format(**words),
        RENEW_TIMER: TIMER.format(what="Renew MeterSeal certificates each week", when="weekly"),
        BACKUP_UNIT: BACKUP.format(**words),
        BACKUP_TIMER: TIMER.format(what="Back up MeterSeal each night", when="daily"),
    }
