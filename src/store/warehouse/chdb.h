// libchdb, loaded at run time: its C functions, declared here because the package brings no header.
// Used by the child process alone.
//
// Threads: a connection runs one statement at a time and belongs to one thread; several connections
// share the one ClickHouse inside the library.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warehouse {

extern "C" {
struct chdb_connection_;
struct chdb_result;
}

class Chdb {
  public:
    class Connection;
    class Stream;

    // Errors: kUnavailable with dlopen's text, or the name of a missing function.
    static base::Result<std::unique_ptr<Chdb>> Load(const std::string& library);

    // `arguments` are those of clickhouse-local, first the program's name; the first connection
    // decides the data directory and the server's settings.
    // Errors: kUnavailable.
    base::Result<std::unique_ptr<Connection>> Connect(const std::vector<std::string>& arguments);

  private:
    using ConnectionHandle = chdb_connection_*;
    struct Functions {
        ConnectionHandle* (*connect)(int argc, char** argv) = nullptr;
        void (*close)(ConnectionHandle*) = nullptr;
        chdb_result* (*query)(ConnectionHandle, const char*, size_t, const char*, size_t) = nullptr;
        chdb_result* (*stream)(ConnectionHandle, const char*, size_t, const char*,
                               size_t) = nullptr;
        chdb_result* (*fetch)(ConnectionHandle, chdb_result*) = nullptr;
        void (*cancel)(ConnectionHandle, chdb_result*) = nullptr;
        void (*destroy)(chdb_result*) = nullptr;
        char* (*buffer)(chdb_result*) = nullptr;
        size_t (*length)(chdb_result*) = nullptr;
        const char* (*error)(chdb_result*) = nullptr;
    };
    Chdb() = default;

    Functions f_;

  public:
    class Connection {
      public:
        ~Connection();
        // Runs one statement and throws its answer away. Errors: kInternal with ClickHouse's text
        // ("Code: 60. DB::Exception: ...").
        base::Status Run(std::string_view sql);
        // Starts a SELECT. One stream at a time. The connection must outlive it.
        base::Result<std::unique_ptr<Stream>> Start(std::string_view sql);

      private:
        friend class Chdb;
        friend class Stream;
        Connection(const Functions& f, ConnectionHandle* handle) : f_(f), handle_(handle) {}
        const Functions& f_;
        ConnectionHandle* handle_;
    };

    class Stream {
      public:
        ~Stream();  // Cancels what was not read to its end.
        // The next piece, valid until the next call; empty at the end.
        base::Result<std::string_view> Next();

      private:
        friend class Connection;
        Stream(const Connection& connection, chdb_result* handle)
            : connection_(connection), handle_(handle) {}
        const Connection& connection_;
        chdb_result* handle_;
        chdb_result* piece_ = nullptr;
        bool ended_ = false;
    };
};

}  // namespace warehouse
