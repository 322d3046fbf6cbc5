"""Every word of the services on sale in this process's memory, so that a search asks no database what has its words."""
