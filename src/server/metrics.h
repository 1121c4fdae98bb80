// The server's own part of /metrics, Prometheus' exposition format 0.0.4; the API adds what it
// counts itself.
#pragma once

#include <string>

#include "engine/engine.h"
#include "event_log/embedded/embedded_log.h"
#include "net/http/server.h"
#include "server/dispatcher.h"
#include "server/eraser.h"
#include "store/warehouse/child_process.h"
#include "store/warehouse/spool.h"
#include "store/warehouse/writer.h"

namespace server {

// The parts that count; those that may be absent are pointers.
struct Measured {
    const event_log::EmbeddedLog& log;
    const engine::Engine& engine;
    const warehouse::Spool& spool;
    const warehouse::Writer* writer;
    const warehouse::ChildProcess* child;
    const Dispatcher* dispatcher;
    const http::Server* http;
    const Eraser* eraser;
};

// Any thread.
std::string MetricsText(const Measured& measured);

}  // namespace server
