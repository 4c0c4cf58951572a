"""An endpoint that Prometheus reads: `http://127.0.0.1:PORT/metrics`, in its text format 0.0.4."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streamsql.errors import OperationalError
from streamsql.monitor.measures import Exchange, Measures, PumpMeasures, StreamMeasures
from streamsql.rows import ErrorName

HOST = "127.0.0.1"
PATIENCE_SECONDS = 5.0
"""So long an answer waits for the end of the step that runs."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[dict[str, str], float | None]


def exposition(measures: Measures) -> str:
    """The text that Prometheus reads."""
    return "\n".join(line for family in _families(measures) for line in family) + "\n"


def _families(m: Measures) -> Iterator[Iterable[str]]:
    late = sum(count for (_, name), count in m.errors.items() if name == ErrorName.LATE)
    yield _family("rows_in_total", "counter", "Records read from the input of a stream.", _by_stream(m, lambda s: s.rows_in))
    yield _family("rows_out_total", "counter", "Rows written to the output of a stream.", _by_stream(m, lambda s: s.rows_out))
    lag = _by_stream(m, lambda s: s.lag_seconds)
    yield _family("lag_seconds", "gauge", "How far the ROWTIME bound of a stream is behind the clock.", lag)
    yield _family("pump_rows_total", "counter", "Rows that a pump wrote.", _by_pump(m, lambda p: p.rows))
    yield _family("open_groups", "gauge", "Groups in the open windows of a pump.", _by_pump(m, lambda p: p.open_groups))
    yield _family("state_bytes", "gauge", "Bytes of what a pump has gathered.", _by_pump(m, lambda p: p.state_bytes))
    errors: list[Sample] = [({"pump": pump, "name": name}, count) for (pump, name), count in sorted(m.errors.items())]
    yield _family("errors_total", "counter", "Rows of error_stream, by pump and error name.", errors)
    yield _family("late_rows_total", "counter", "Rows whose ROWTIME their stream had passed.", [({}, late)])
    yield _family("step_seconds_sum", "counter", "Seconds spent in steps.", [({}, m.step_seconds)])
    yield _family("step_seconds_count", "counter", "Steps.", [({}, m.steps)])
    yield _family("checkpoints_total", "counter", "Checkpoints written.", [({}, m.checkpoints)])


def _by_stream(m: Measures, value: Callable[[StreamMeasures], float | None]) -> list[Sample]:
    return [({"stream": name}, value(stream)) for name, stream in m.streams.items()]


def _by_pump(m: Measures, value: Callable[[PumpMeasures], float | None]) -> list[Sample]:
    return [({"pump": name}, value(pump)) for name, pump in m.pumps.items()]


def _family(name: str, kind: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP streamsql_{name} {help}"
    yield f"# TYPE streamsql_{name} {kind}"
    for labels, value in samples:
        if value is not None:
            shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            yield f"streamsql_{name}{'{' + shown + '}' if shown else ''} {value:.17g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Endpoint:
    """The HTTP server of the metrics, on the loopback interface alone."""

    def __init__(self, port: int, exchange: Exchange) -> None:
        """Begin to listen; port 0 takes a free one.  Raises OperationalError where that cannot be done."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.partition("?")[0] not in ("/", "/metrics"):
                    self.send_error(404)
                    return
                body = exposition(exchange.ask(PATIENCE_SECONDS)).encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise OperationalError(f"cannot listen on {HOST}:{port}: {error}", hint="--metrics 0 takes a free port") from None
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="streamsql-metrics", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}/metrics"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
