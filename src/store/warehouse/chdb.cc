#include "store/warehouse/chdb.h"

#include <dlfcn.h>

namespace warehouse {
namespace {

template <typename F>
bool Bind(void* library, const char* name, F& function) {
    function = reinterpret_cast<F>(dlsym(library, name));
    return function != nullptr;
}

constexpr std::string_view kFormat = "RowBinary";  // Where the statement names none.

}  // namespace

base::Result<std::unique_ptr<Chdb>> Chdb::Load(const std::string& library) {
    // Never closed: its threads live as long as the process.
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return base::Fail(base::ErrorCode::kUnavailable, dlerror());
    // Its handlers sleep for minutes on a crash; we want the end at once, and a new start.
    void (*set_signal_handlers)(int) = nullptr;
    if (!Bind(handle, "chdb_set_signal_handlers_enabled", set_signal_handlers)) {
        return base::Fail(base::ErrorCode::kUnavailable, library + " is older than libchdb 26.3");
    }
    set_signal_handlers(0);
    std::unique_ptr<Chdb> chdb(new Chdb());
    Functions& f = chdb->f_;
    const bool complete =
        Bind(handle, "chdb_connect", f.connect) && Bind(handle, "chdb_close_conn", f.close) &&
        Bind(handle, "chdb_query_n", f.query) && Bind(handle, "chdb_stream_query_n", f.stream) &&
        Bind(handle, "chdb_stream_fetch_result", f.fetch) &&
        Bind(handle, "chdb_stream_cancel_query", f.cancel) &&
        Bind(handle, "chdb_destroy_query_result", f.destroy) &&
        Bind(handle, "chdb_result_buffer", f.buffer) &&
        Bind(handle, "chdb_result_length", f.length) && Bind(handle, "chdb_result_error", f.error);
    if (!complete) {
        return base::Fail(base::ErrorCode::kUnavailable,
                          library + " lacks functions of libchdb 26");
    }
    return chdb;
}

base::Result<std::unique_ptr<Chdb::Connection>> Chdb::Connect(
    const std::vector<std::string>& arguments) {
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv;
    for (std::string& argument : copies) argv.push_back(argument.data());
    ConnectionHandle* handle = f_.connect(static_cast<int>(argv.size()), argv.data());
    if (handle == nullptr || *handle == nullptr) {
        return base::Fail(base::ErrorCode::kUnavailable, "chdb_connect returned nothing");
    }
    return std::unique_ptr<Connection>(new Connection(f_, handle));
}

Chdb::Connection::~Connection() { f_.close(handle_); }

base::Status Chdb::Connection::Run(std::string_view sql) {
    chdb_result* result =
        f_.query(*handle_, sql.data(), sql.size(), kFormat.data(), kFormat.size());
    if (result == nullptr) return base::Fail(base::ErrorCode::kInternal, "chdb_query: no result");
    const char* error = f_.error(result);
    const std::string text = error == nullptr ? "" : error;
    f_.destroy(result);
    if (!text.empty()) return base::Fail(base::ErrorCode::kInternal, text);
    return {};
}

base::Result<std::unique_ptr<Chdb::Stream>> Chdb::Connection::Start(std::string_view sql) {
    chdb_result* result =
        f_.stream(*handle_, sql.data(), sql.size(), kFormat.data(), kFormat.size());
    if (result == nullptr) return base::Fail(base::ErrorCode::kInternal, "chdb_stream: no result");
    const char* error = f_.error(result);
    if (error != nullptr) {
        std::string text = error;
        f_.destroy(result);
        return base::Fail(base::ErrorCode::kInternal, std::move(text));
    }
    return std::unique_ptr<Stream>(new Stream(*this, result));
}

Chdb::Stream::~Stream() {
    const Functions& f = connection_.f_;
    if (piece_ != nullptr) f.destroy(piece_);
    if (!ended_) f.cancel(*connection_.handle_, handle_);
    f.destroy(handle_);
}

base::Result<std::string_view> Chdb::Stream::Next() {
    const Functions& f = connection_.f_;
    if (ended_) return std::string_view();
    if (piece_ != nullptr) f.destroy(piece_);
    piece_ = f.fetch(*connection_.handle_, handle_);
    if (piece_ == nullptr) {
        ended_ = true;
        return std::string_view();
    }
    if (const char* error = f.error(piece_)) {
        return base::Fail(base::ErrorCode::kInternal, error);
    }
    const size_t length = f.length(piece_);
    if (length == 0) {
        ended_ = true;
        return std::string_view();
    }
    return std::string_view(f.buffer(piece_), length);
}

}  // namespace warehouse
