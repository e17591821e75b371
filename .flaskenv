FLASK_APP=app.cli.entry:create_cli_app
