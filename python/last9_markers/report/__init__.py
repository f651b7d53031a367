"""The report: what was deployed in a build, as a page, as JSON and as Markdown.

``reading`` makes deployments of the build's records, ``timeline`` places their bars, ``page`` and ``markdown`` write them down, ``files``
puts them on the disk, ``handler`` serves the library's step. Nothing here is loaded for a marker.
"""
