# The bot as an image: `docker build -t greenroom .`
#
# Two stages, so that what is only needed to build (pip's cache, the sources) is not in the image that runs.

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot bot
COPY agents agents
COPY config config
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/greenroom \
 && /opt/greenroom/bin/pip install --no-cache-dir --constraint constraints.txt \
        "$(echo /wheels/greenroom-*.whl)[redis,otel,export]" \
 && /opt/greenroom/bin/python -m compileall -q /opt/greenroom

FROM python:3.11-slim
# A fixed number, so that the owner of files in volumes stays the same from image to image.
RUN groupadd --gid 10001 greenroom \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin greenroom \
 && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=build /opt/greenroom /opt/greenroom
ENV PATH=/opt/greenroom/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1
# The state of a bot without Redis is .greenroom/state.sqlite3 in here: keep it in a volume.
WORKDIR /data
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["greenroom"]
CMD ["--help"]
