// smtp_sink: a mail server on loopback that accepts, waits and fails as told. Prints "port N" and
// appends a JSON line for every letter it stored; ends on SIGTERM or SIGINT with its counts.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "net/smtp/test_sink.h"

int main(int argc, char** argv) {
    smtp::SinkOptions options;
    options.keep_letters = false;
    std::string faults, tls = "none", certificate_path;
    uint64_t seed = 1;
    bool no_bodies = false;
    CLI::App app("A mail server for tests");
    app.add_option("--port", options.port, "0: any free one");
    app.add_option("--latency-ms", options.latency_ms, "every answer comes this much later");
    app.add_option("--append", options.append_path, "file for a JSON line per stored letter");
    app.add_flag("--sync", options.append_sync, "fdatasync before each answer");
    app.add_flag("--no-bodies", no_bodies, "leave the letters' bytes out of the file");
    app.add_option("--tls", tls, "none, starttls or implicit")
        ->check(CLI::IsMember({"none", "starttls", "implicit"}));
    app.add_option("--certificate", certificate_path, "where to write the certificate (PEM)");
    app.add_option("--user", options.user, "demand AUTH");
    app.add_option("--password", options.password, "for --user");
    app.add_option("--faults", faults, "stage:fault:share,... e.g. rcpt:reset:0.01");
    app.add_option("--seed", seed, "of the faults");
    CLI11_PARSE(app, argc, argv);

    const auto read = smtp::ReadFaults(faults);
    if (!read) {
        std::fprintf(stderr, "bad --faults: %s\n", read.error().internal.c_str());
        return 2;
    }
    if (!read->empty()) options.faults = smtp::FaultsByChance(*read, seed);
    options.append_bodies = !no_bodies;
    options.tls = tls == "starttls"   ? smtp::SinkTls::kStartTls
                  : tls == "implicit" ? smtp::SinkTls::kImplicit
                                      : smtp::SinkTls::kNone;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // Before the sink's thread, which inherits it.

    const auto sink = smtp::TestSink::Start(options);
    if (!sink) {
        std::fprintf(stderr, "cannot start: %s\n", sink.error().internal.c_str());
        return 1;
    }
    if (!certificate_path.empty()) {
        std::FILE* file = std::fopen(certificate_path.c_str(), "w");
        if (file == nullptr || std::fputs((*sink)->CertificatePem().c_str(), file) < 0 ||
            std::fclose(file) != 0) {
            std::fprintf(stderr, "cannot write %s\n", certificate_path.c_str());
            return 1;
        }
    }
    std::printf("port %u\n", (*sink)->port());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
    (*sink)->Stop();
    const smtp::SinkCounts counts = (*sink)->Counts();
    std::printf("stored %llu faults %llu violations %llu connections %llu\n",
                static_cast<unsigned long long>(counts.stored),
                static_cast<unsigned long long>(counts.faults),
                static_cast<unsigned long long>(counts.violations),
                static_cast<unsigned long long>(counts.connections));
    return 0;
}
