// node run.mjs PYTHONS VERSION SOURCES HERE PROGRAM FOLDER: run PROGRAM FOLDER in the CPython that PYTHONS has as VERSION,
// under what start.py prepares. Paths inside are those outside.
const [pythons, version, sources, here, program, folder] = process.argv.slice(2);
const { loadPyodide } = await import(`${pythons}/node_modules/pyodide-${version}/pyodide.mjs`);
const python = await loadPyodide();
for (const path of [`${pythons}/site`, sources, here, program.slice(0, program.lastIndexOf("/"))]) {
  python.mountNodeFS(path, path);
}
python.globals.set("places", python.toPy([`${pythons}/site`, sources, here]));
python.globals.set("command", python.toPy([program, folder]));
python.runPython("import sys; sys.path[:0] = places; import start; start.run(command)");
