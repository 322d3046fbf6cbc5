"""`python -m storefront.web.serve`, with gunicorn's arguments: gunicorn, after a look at what it would stumble over.

gunicorn reads WEB_CONCURRENCY before the configuration that could check it, and ends in a traceback.
"""

from storefront.configuration.web_server import read_web_server

if __name__ == "__main__":
    read_web_server()

    from gunicorn.app.wsgiapp import run

    run(prog="gunicorn")
