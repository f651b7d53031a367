"""The report: a build's deployments as a page, as JSON and as Markdown.

``reading`` makes deployments from the build's records, ``timeline`` places their bars, ``page`` and ``markdown`` make the texts, ``files``
writes the files, ``handler`` serves the library's step. A marker loads none of this.
"""
