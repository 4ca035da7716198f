"""`meterseal edge`: a table of verbs for whoever runs an edge, one file a group of them."""

import typer

from meterseal_tools import edge_doctor, edge_down, edge_people, edge_site, edge_store

app = typer.Typer(
    no_args_is_help=True, help="Edges: make a site, enrol fixtures, back up, examine; what it sends."
)
app.command("backup")(edge_store.backup)
app.command("restore")(edge_store.restore)
app.command("verify-store")(edge_store.verify_store)
app.command("downgrade")(edge_store.downgrade)
app.command("trail")(edge_people.trail)
app.add_typer(edge_people.person, name="person")
app.command("init")(edge_site.init)
app.command("enrol")(edge_site.enrol)
app.command("enrolled")(edge_site.enrolled)
app.command("renew")(edge_site.renew)
app.command("revoke")(edge_site.revoke)
app.command("doctor")(edge_doctor.doctor)
for kind, group in edge_down.GROUPS.items():
    app.add_typer(group, name=kind)
