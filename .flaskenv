# Read by the flask command in this folder: .venv/bin/flask <group> <command>
FLASK_APP=wsgi
