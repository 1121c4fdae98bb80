// Letters through one delivery thread to a mail server that answers after 20 ms.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "base/clock.h"
#include "bench/figure.h"
#include "bench/traffic.h"
#include "flow/delivery/dkim.h"
#include "flow/delivery/letter_check.h"
#include "flow/delivery/mime.h"
#include "language/liquid/template.h"
#include "net/smtp/client.h"
#include "net/smtp/test_sink.h"

namespace {

using bench::Figure;
using bench::Settings;

constexpr base::DurationMs kLatencyMs = 20;
constexpr int kConnections = 128;
constexpr int kOutstandingMax = 512;

// The mail server in a process of its own.
class Sink {
  public:
    Sink() {
        int ends[2];
        if (pipe(ends) != 0) bench::Die("no pipe");
        child_ = fork();
        if (child_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            smtp::SinkOptions options;
            options.latency_ms = kLatencyMs;
            options.keep_letters = false;
            const auto sink = bench::Must(smtp::TestSink::Start(options));
            const uint16_t port = sink->port();
            if (write(ends[1], &port, sizeof port) != sizeof port) _exit(1);
            while (true) pause();
        }
        if (read(ends[0], &port_, sizeof port_) != sizeof port_) bench::Die("no mail server");
    }
    ~Sink() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    std::string Url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }

  private:
    int child_ = 0;
    uint16_t port_ = 0;
};

std::string RsaKeyPem() {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    BIO* memory = BIO_new(BIO_s_mem());
    if (key == nullptr ||
        PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        bench::Die("no key");
    }
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    std::string pem(bytes, static_cast<size_t>(size));
    BIO_free(memory);
    EVP_PKEY_free(key);
    return pem;
}

constexpr std::string_view kSubject =
    "Shall we finish, {{ person.first_name | default: 'friend' }}?";
constexpr std::string_view kText =
    "Dear {{ person.first_name | default: 'friend' }},\n\n"
    "you began an application for {{ event.product }} and did not finish it. It is kept until "
    "{{ event.until }}.\n\n{% if person.paying %}As a customer you need not fill in your address "
    "again.\n\n{% endif %}Go on here: https://shop.example/apply/{{ event.application_id }}\n\n"
    "Yours,\nthe shop\n\nNo more letters: {{ unsubscribe_url }}\n";

class Writer {
  public:
    Writer()
        : subject_(bench::Must(liquid::Template::Parse(kSubject))),
          text_(bench::Must(liquid::Template::Parse(kText))) {}

    smtp::Letter Write(uint64_t number, const delivery::DkimSigner* signer) const {
        using liquid::Value;
        liquid::Arena arena;
        const std::string user = bench::UserId(number);
        const std::string url = "https://shop.example/u/" + user;
        const Value person = Value::Object(
            arena, {{"first_name", Value::Text(user)}, {"paying", Value::Bool(number % 2 == 0)}});
        const Value event = Value::Object(arena, {{"product", Value::Text("a steam oven")},
                                                  {"until", Value::Text("Friday")},
                                                  {"application_id", Value::Text(user)}});
        const Value scope = Value::Object(
            arena, {{"person", person}, {"event", event}, {"unsubscribe_url", Value::Text(url)}});
        delivery::LetterParts parts;
        parts.from = {"Shop", "shop@shop.example"};
        parts.to = {"", user + "@example.test"};
        parts.subject = bench::Must(subject_.Render(scope));
        parts.text = bench::Must(text_.Render(scope));
        parts.date_ms = base::SystemClock().Now();
        parts.idempotency_key = user;
        parts.list_unsubscribe_url = url;
        auto built = bench::Must(delivery::BuildLetter(parts, "secret of the bench"));
        bench::Must(delivery::CheckLetter(built.bytes, parts));
        if (signer != nullptr) {
            built.bytes.insert(0, bench::Must(signer->Sign(built.bytes, parts.date_ms)));
        }
        return {"shop@shop.example", built.to, std::move(built.bytes), number};
    }

  private:
    liquid::Template subject_;
    liquid::Template text_;
};

// Letters a second.
double SendAll(smtp::Pool& pool, const Writer& writer, const delivery::DkimSigner* signer,
               uint64_t letters) {
    std::mutex mutex;
    std::condition_variable changed;
    int outstanding = 0;
    uint64_t accepted = 0;
    const double begun = bench::WallSeconds(), cpu = bench::CpuSeconds();
    for (uint64_t i = 0; i < letters; ++i) {
        {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return outstanding < kOutstandingMax; });
            ++outstanding;
        }
        bench::Must(pool.Send(
            writer.Write(i, signer), [](uint64_t) { return true; },
            [&](uint64_t, const smtp::SendResult& result) {
                std::lock_guard lock(mutex);
                if (result.kind == smtp::ResultKind::kAccepted) ++accepted;
                --outstanding;
                changed.notify_one();
            }));
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return outstanding == 0; });
    if (accepted != letters) bench::Die("letters were not accepted");
    const double rate = static_cast<double>(letters) / (bench::WallSeconds() - begun);
    bench::Note("%.0f letters/s, %.0f us CPU a letter", rate,
                (bench::CpuSeconds() - cpu) * 1e6 / static_cast<double>(letters));
    return rate;
}

std::vector<Figure> Measure(const Settings& settings) {
    const uint64_t letters = settings.events > 0 ? settings.events : 8'000;
    const int runs = settings.runs > 0 ? settings.runs : 3;
    const Sink sink;
    smtp::Options options;
    options.url = sink.Url();
    options.connections_max = kConnections;
    const auto pool = bench::Must(smtp::Pool::Create(options));
    const Writer writer;
    const auto signer =
        bench::Must(delivery::DkimSigner::Create("shop.example", "ripen", RsaKeyPem()));
    Figure plain{"letters_rate_20ms", "1/s", {}, {}};
    Figure signed_rsa{"letters_rate_20ms_rsa2048", "1/s", {}, {}};
    SendAll(*pool, writer, nullptr, letters / 4);  // Opens the connections.
    for (int i = 0; i < runs; ++i) plain.runs.push_back(SendAll(*pool, writer, nullptr, letters));
    for (int i = 0; i < runs; ++i) {
        signed_rsa.runs.push_back(SendAll(*pool, writer, &signer, letters));
    }
    const auto counts = pool->Counts();
    bench::Note("%d connections", counts.connections);
    pool->Close(1000);
    return {plain, signed_rsa};
}

}  // namespace

int main(int argc, char** argv) { return bench::Run(argc, argv, {{"letters_rate_20ms", Measure}}); }
