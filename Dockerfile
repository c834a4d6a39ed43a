# The operator's image. Needs of the base: Python 3.11 or newer with its venv module, as in Debian's python3 and python3-venv.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
# By which hack/images.py finds and removes old ones.
LABEL dev.agentjobs.stage=operator
COPY requirements/runtime.txt /build/runtime.txt
# pip stays in a venv of its own, so that the image has none. Wheels only: nothing is compiled and no package's code runs here.
# unchecked-hash: the bytecode is used as it is, whatever time the files carry. The client's classes for each API are loaded only
# when used, and only the lease's are; bytecode of the others would be 50 MB.
RUN python3 -m venv /build/tools \
 && python3 -m venv --without-pip /opt/agentjobs \
 && /build/tools/bin/pip --python /opt/agentjobs/bin/python --disable-pip-version-check install \
      --quiet --no-cache-dir --no-deps --no-compile --only-binary :all: --require-hashes --requirement /build/runtime.txt \
 && site="$(/opt/agentjobs/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && find "$site" -name '*.pyi' -delete \
 && /opt/agentjobs/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/kubernetes/(aio/)?client/(api|models)/(?!__init__|coordination_v1_api|v1_lease|v1_object_meta|v1_owner_ref|v1_managed)' "$site" \
 && echo /opt/agentjobs/src > "$site/agentjobs.pth"
COPY operator/src/agentjobs /build/src/agentjobs
# -s and -p: tracebacks name the files where they will be.
RUN /opt/agentjobs/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /build -p /opt/agentjobs /build/src

FROM ${BASE_IMAGE}
# A name for the uid: libraries ask who they are.
RUN echo 'agentjobs:x:65532:65532:agentjobs operator:/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'agentjobs:x:65532:' >> /etc/group
COPY --from=build /opt/agentjobs /opt/agentjobs
COPY LICENSE /opt/agentjobs/LICENSE
COPY --from=build /build/src /opt/agentjobs/src
ARG VERSION=dev
LABEL org.opencontainers.image.title="agentjobs operator" \
      org.opencontainers.image.description="Kubernetes operator for scheduled jobs written by AI agents and approved by people" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/agentjobs/bin/python", "-m", "agentjobs"]
CMD ["operator"]
