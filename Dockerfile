# The bot as an image: `docker build -t greenroom .`
#
# Two stages, so that what is only needed to build (pip's cache, the sources) is not in the image that runs. What
# changes seldom comes first: a change of our own code, or of a setting, fetches no package again.
# `scripts/pin` writes the digest of each base image behind its tag; run it when you build for others.

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt ./
RUN python -m venv /opt/greenroom \
 && python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; more = p['optional-dependencies']; print(*p['dependencies'], *more['redis'], *more['otel'], *more['export'], sep='\n')" > requirements.txt \
 && /opt/greenroom/bin/pip install --no-cache-dir --constraint constraints.txt --requirement requirements.txt \
 && pip install --no-cache-dir --constraint constraints.txt hatchling
COPY README.md LICENSE ./
COPY greenroom greenroom
COPY bot bot
COPY agents agents
COPY config config
# Without isolation, the wheel is built by the version of the build backend that was installed above.
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/greenroom/bin/pip install --no-cache-dir --no-deps /wheels/greenroom-*.whl \
 && /opt/greenroom/bin/pip check \
 && /opt/greenroom/bin/python -m compileall -q /opt/greenroom

FROM python:3.11-slim
# A fixed number, so that the owner of files in volumes stays the same from image to image.
RUN groupadd --gid 10001 greenroom \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin greenroom \
 && install --directory --owner 10001 --group 10001 --mode 0700 /data
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
