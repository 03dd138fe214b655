"""The web application: the page and the HTTP API on one port."""

import os

# Read by gradio when it is imported: nothing that happens here may be reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
