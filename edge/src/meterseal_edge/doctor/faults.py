"""Every fault that the doctor knows: how bad it is, and what to do, in Chinese and English, one line each."""

from collections.abc import Iterator
from typing import NamedTuple

SOON, BROKEN = 1, 2

FAULTS: dict[str, tuple[int, str, str]] = {
    "settings": (
        BROKEN,
        "设置文件不可用：{0}。请按提示更正",
        "The settings can't be used: {0}. Put that right",
    ),
    "edge.down": (
        BROKEN,
        "边缘站未运行（{0} 无应答）：运行 systemctl start meterseal-edge，再看 journalctl -u meterseal-edge",
        "The edge does not run ({0} is silent): systemctl start meterseal-edge, then journalctl -u meterseal-edge",
    ),
    "mode": (
        BROKEN,
        "{0} 可被他人读取：运行 chmod 600；若曾共享，请更换密钥",
        "{0} can be read by others: chmod 600 it, and make a new key if it was shared",
    ),
    "key.missing": (
        BROKEN,
        "缺少文件 {0}：放回备份，或新建密钥并申请授权",
        "{0} is missing: put its copy back, or make a new key and have it granted",
    ),
    "broker.away": (
        BROKEN,
        "消息代理 {0} 无法连接（{1}）：运行 systemctl status mosquitto，检查网络和防火墙",
        "The broker {0} can't be reached ({1}): systemctl status mosquitto, then network and firewall",
    ),
    "tls.none": (
        SOON,
        "与消息代理的连接未加密：用 meterseal edge init 建立站点",
        "The connection to the broker is in the clear: make the site with meterseal edge init",
    ),
    "tls.files": (
        BROKEN,
        "TLS 文件 {0} 不可用：从站点文件夹放回，或重建站点",
        "The TLS file {0} can't be used: put it back from the site's folder",
    ),
    "tls.key": (
        BROKEN,
        "{0} 不是证书 {1} 的密钥：放回成对的两个文件",
        "{0} is not the key of {1}: put back two files that belong together",
    ),
    "tls.foreign": (
        BROKEN,
        "{0} 不是 {1} 签发的：放回本站机构证书",
        "{0} was not issued by {1}: put back this site's own authority",
    ),
    "tls.ended": (
        BROKEN,
        "证书 {0} 不在有效期内（至 {1}）：运行 meterseal edge renew；并检查时钟",
        "The certificate {0} is not valid now (until {1}): meterseal edge renew, and look at the clock",
    ),
    "tls.soon": (
        SOON,
        "证书 {0} 将于 {1} 到期：运行 meterseal edge renew",
        "The certificate {0} ends on {1}: run meterseal edge renew",
    ),
    "tls.name": (
        BROKEN,
        "消息代理的证书不含主机名 {0}：更正设置 host，或用正确的 --host 重建站点",
        "The broker's certificate does not name {0}: correct `host`, or make the site with that --host",
    ),
    "tls.untrusted": (
        BROKEN,
        "消息代理 {0} 的证书不可信（{1}）：机构证书不符、证书过期，或有人冒充",
        "The certificate of the broker {0} is not trusted ({1}): wrong authority, an ended certificate, or an impostor",
    ),
    "tls.refused": (
        BROKEN,
        "消息代理 {0} 拒绝本站证书（{1}）：检查是否已吊销或属于其他机构",
        "The broker {0} refuses the edge's certificate ({1}): see whether it was revoked or is another authority's",
    ),
    "anchors": (
        BROKEN,
        "信任锚不可用（{0}）：向授权机构索取 anchors.cbor",
        "The anchors can't be used ({0}): ask the authority for anchors.cbor",
    ),
    "grant.edge": (
        BROKEN,
        "本站密钥 {0} 没有授权：把 edge.cosekey 交授权机构，授权书放入 grants",
        "No grant for this edge's key {0}: give edge.cosekey to the authority, and put the grant into grants",
    ),
    "grant.fixtures": (
        SOON,
        "站点 {0} 没有任何夹具授权：其记录会被隔离；请申请授权",
        "No fixture of site {0} has a grant, so all they say is quarantined: have them granted",
    ),
    "identities": (
        BROKEN,
        "登记表不可用（{0}）：放回备份，或重新登记",
        "The list of enrolled fixtures can't be used ({0}): put its copy back, or enrol again",
    ),
    "registry.away": (
        SOON,
        "登记库 {0} 无法连接（{1}）：记录留在本站；检查网络和地址",
        "The registry {0} can't be reached ({1}): statements wait here; look at network and address",
    ),
    "clock": (
        BROKEN,
        "本机时钟与{1}相差 {0} 秒：启用 systemd-timesyncd 或 chrony",
        "The clock is {0} s away from that of {2}: enable systemd-timesyncd or chrony",
    ),
    "disk.full": (
        BROKEN,
        "磁盘几乎已满（剩余 {0} MiB）：清理或扩容；写满后停止确认",
        "The disk is nearly full ({0} MiB left): free or enlarge it; once full, nothing is acknowledged",
    ),
    "disk.wal": (
        SOON,
        "预写日志有 {0} MiB：有程序长时间占用数据库；结束它或重启边缘站",
        "The write-ahead log has {0} MiB: a program holds the store open; end it, or restart the edge",
    ),
    "store.damaged": (
        BROKEN,
        "存储损坏（{0}）：停止边缘站，运行 meterseal edge restore",
        "The store is damaged ({0}): stop the edge and run meterseal edge restore",
    ),
    "store.older": (
        BROKEN,
        "存储比已签署的更旧（{0} 条，已签 {1} 条）：运行 meterseal edge restore",
        "The store is older than what was signed for ({0} statements, {1} signed for): run meterseal edge restore",
    ),
    "people.damaged": (
        BROKEN,
        "人员文件不可用（{0}）：停止边缘站，运行 meterseal edge restore",
        "The people's file can't be used ({0}): stop the edge and run meterseal edge restore",
    ),
    "people.older": (
        BROKEN,
        "人员文件比操作记录更旧（{0} 条，已有 {1} 条）：停止边缘站，运行 meterseal edge backup 再 restore",
        "The people's file is older than what people did ({0} acts of {1}): stop the edge, back up, restore",
    ),
    "quarantine": (
        SOON,
        "夹具 {0} 的隔离区将满（{1}/{2}）：查明原因后清空，满后不再确认",
        "The quarantine of {0} is nearly full ({1} of {2}): find out why, empty it; once full it is not acknowledged",
    ),
    "outbox": (
        SOON,
        "最早的未入库记录已等待 {0} 小时：检查登记库和网络",
        "The oldest statement without a receipt has waited {0} hours: look at registry and network",
    ),
    "backup.unnamed": (
        SOON,
        "设置中没有备份文件夹 backups：指定后启用 meterseal-backup.timer",
        "The settings name no folder for backups: set `backups` and enable meterseal-backup.timer",
    ),
    "backup.old": (
        SOON,
        "最新备份已有 {0}（{1}）：查看 meterseal-backup.timer，或运行 meterseal edge backup",
        "The newest backup is {2} old ({1}): see to meterseal-backup.timer, or run meterseal edge backup",
    ),
    "backup.none": (
        SOON,
        "{0} 中没有备份：启用 meterseal-backup.timer，或运行 meterseal edge backup",
        "There is no backup in {0}: enable meterseal-backup.timer, or run meterseal edge backup",
    ),
    "fixture.silent": (
        SOON,
        "夹具 {0} 已知但沉默（{1}）：检查其电源、网络和证书",
        "The fixture {0} is known and silent ({2}): look at its power, network and certificate",
    ),
}


class Fault(NamedTuple):
    """A fault that was found, and what fills its sentences."""

    code: str
    facts: tuple[object, ...] = ()

    @property
    def level(self) -> int:
        """SOON or BROKEN."""
        return FAULTS[self.code][0]

    @property
    def lines(self) -> tuple[str, str]:
        """What is wrong and what to do: Chinese, English."""
        _, chinese, english = FAULTS[self.code]
        return chinese.format(*self.facts), english.format(*self.facts)


def fault(code: str, *facts: object) -> Fault:
    """A fault with what fills its sentences."""
    return Fault(code, facts)


Found = Iterator[Fault]
