"""What every board freezes into its firmware: the application and the portable core, nothing else."""

package("meterseal_fixture", base_path="src")  # type: ignore[name-defined]  # noqa: F821
package("meterseal_wire", base_path="../protocol/src")  # type: ignore[name-defined]  # noqa: F821
