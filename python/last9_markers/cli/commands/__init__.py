"""The commands of ``last9-markers``, a module each with ``main(arguments) -> exit code``; :mod:`last9_markers.cli.main` names them all."""
