# The one image of web, workers, beat, migrate and backup; docker-compose.yml says which runs what.
FROM python:3.12-slim-trixie AS build

ENV PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/shop
ENV PATH=/opt/shop/bin:$PATH
WORKDIR /app

# Before the code, so that a change of code does not install everything again.
COPY requirements/base.txt requirements/
RUN pip install --require-hashes -r requirements/base.txt

COPY . .
# The settings ask for keys even here; these are in no layer's environment, sign nothing and seal nothing, and the first is
# thrown away: nobody can run a shop with it by mistake.
RUN if [ -n "$(find locale -name '*.po' 2>/dev/null)" ]; then pybabel -q compile -d locale -D django; fi \
    && DOTENV=/dev/null SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
        FIELD_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ALLOWED_HOSTS=127.0.0.1 \
        python manage.py collectstatic --noinput --verbosity 0

FROM python:3.12-slim-trixie

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/shop/bin:$PATH
# pg_dump, for backups: of the server's version or newer.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends --yes postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp shop \
    && install --directory --owner shop --group shop \
        /var/lib/api /var/lib/backups /var/lib/beat /var/lib/exports /var/lib/static
WORKDIR /app
# The files stay root's: the shop cannot change its own code. It writes to /tmp, and to folders of their own.
COPY --from=build /opt/shop /opt/shop
COPY --from=build /app /app

# By its number: a host can tell without looking into the image that it is not root.
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "storefront.web.serve", "storefront.wsgi", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
