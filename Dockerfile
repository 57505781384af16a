# One image for every process of OTTO; docker-compose.yml says which one a container is.
FROM python:3.11-slim

ARG PIP_ARGS=""
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    OTTO_VAR_DIR=/app/var OTTO_DATA_DIR=/data \
    HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 TOKENIZERS_PARALLELISM=false MALLOC_ARENA_MAX=2

RUN apt-get update \
    && apt-get install -y --no-install-recommends libmagic1 libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home otto

WORKDIR /app
COPY requirements.txt .
RUN pip install ${PIP_ARGS} "$(sed -nE 's/^(torch==[^ ]+).*/\1/p' requirements.txt)" \
    && pip install ${PIP_ARGS} -r requirements.txt

COPY . .
RUN OTTO_SECRET_KEY=only-while-building PYTHONDONTWRITEBYTECODE=1 python manage.py collectstatic --noinput \
    && mkdir -p /data && chown -R otto /app/var /data
USER otto
EXPOSE 8000
CMD ["python", "manage.py", "run_web", "--host", "0.0.0.0", "--port", "8000"]
