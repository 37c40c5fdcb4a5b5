# syntax=docker/dockerfile:1
# Darkroom in one container: not root, and nothing but /data is written.

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements-setup.txt requirements-scale.txt ./
RUN python -m venv /opt/darkroom \
 && /opt/darkroom/bin/pip install --no-cache-dir --require-hashes -r requirements-setup.txt \
 && /opt/darkroom/bin/uv pip install --no-cache --compile-bytecode \
      --python /opt/darkroom/bin/python --require-hashes -r requirements-scale.txt \
 && /opt/darkroom/bin/uv pip uninstall --python /opt/darkroom/bin/python uv
COPY wsgi.py gunicorn.conf.py /srv/darkroom/
COPY migrations /srv/darkroom/migrations
COPY app /srv/darkroom/app
RUN /opt/darkroom/bin/python -m compileall -q /srv/darkroom

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin darkroom \
 && install -d -o darkroom -g darkroom -m 0700 /data
COPY --from=build /opt/darkroom /opt/darkroom
COPY --from=build /srv/darkroom /srv/darkroom
ENV PATH=/opt/darkroom/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    INSTANCE_PATH=/data/instance \
    BIND=0.0.0.0:8000 \
    PUBLIC_URL=http://127.0.0.1:8000 \
    LOG_FORMAT=json
WORKDIR /srv/darkroom
USER darkroom
VOLUME /data
EXPOSE 8000
# Any answer will do: a name outside ALLOWED_HOSTS or a way to https is one, too.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
  "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status >= 500)"]
CMD ["gunicorn", "--no-control-socket", "--config", "gunicorn.conf.py", "wsgi:app"]
