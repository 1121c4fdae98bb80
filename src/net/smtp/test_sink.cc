#include "net/smtp/test_sink.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"

namespace smtp {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::string_view kStageNames[kStages] = {
    "banner", "ehlo", "starttls",   "auth",           "mail",       "rcpt",
    "data",   "body", "dot_stored", "dot_not_stored", "after_reply"};
constexpr std::string_view kFaultNames[kFaults] = {"none",      "close",     "reset",  "stall",
                                                   "temporary", "permanent", "garbage"};

std::string Upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
}

// The text between < and > after `command`; nullopt when there is none.
std::optional<std::string> PathOf(std::string_view line) {
    const size_t open = line.find('<');
    const size_t close = line.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
    return std::string(line.substr(open + 1, close - open - 1));
}

bool HasBareCrOrLf(std::string_view bytes) {
    size_t at = 0;
    while (at < bytes.size()) {
        const size_t lf = std::min(bytes.find('\n', at), bytes.size());
        const size_t cr = bytes.substr(at, lf - at).find('\r');
        const bool crlf = lf < bytes.size() && lf > at && bytes[lf - 1] == '\r';
        if (lf < bytes.size() && !crlf) return true;
        if (cr != std::string_view::npos && !(crlf && at + cr == lf - 1)) return true;
        at = lf + 1;
    }
    return false;
}

std::string Unstuffed(std::string_view wire) {
    std::string out;
    out.reserve(wire.size());
    size_t at = 0;
    while (at < wire.size()) {
        if (wire[at] == '.') ++at;
        const size_t end = std::min(wire.find("\r\n", at), wire.size() - 2) + 2;
        out.append(wire.substr(at, end - at));
        at = end;
    }
    return out;
}

struct Certificate {
    std::string certificate_pem;
    std::string key_pem;
};

std::string PemOf(const std::function<void(BIO*)>& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string out(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
}

Certificate MakeCertificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x = X509_new();
    CHECK(key != nullptr && x != nullptr);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x, name);
    const std::pair<int, const char*> extensions[] = {
        {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"},
        {NID_basic_constraints, "critical,CA:TRUE"}};
    for (const auto& [nid, value] : extensions) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
        CHECK(extension != nullptr);
        X509_add_ext(x, extension, -1);
        X509_EXTENSION_free(extension);
    }
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    Certificate out;
    out.certificate_pem = PemOf([&](BIO* bio) { PEM_write_bio_X509(bio, x); });
    out.key_pem = PemOf([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_free(x);
    EVP_PKEY_free(key);
    return out;
}

}  // namespace

std::string_view StageName(Stage stage) { return kStageNames[static_cast<size_t>(stage)]; }
std::string_view FaultName(Fault fault) { return kFaultNames[static_cast<size_t>(fault)]; }

class TestSink::Impl {
  public:
    class Session;

    explicit Impl(SinkOptions options)
        : options_(std::move(options)), tls_(asio::ssl::context::tls_server), acceptor_(io_) {}

    base::Status Start() {
        if (options_.tls != SinkTls::kNone) {
            const Certificate made = MakeCertificate();
            certificate_pem_ = made.certificate_pem;
            error_code error;
            tls_.use_certificate_chain(asio::buffer(made.certificate_pem), error);
            if (!error) {
                tls_.use_private_key(asio::buffer(made.key_pem), asio::ssl::context::pem, error);
            }
            if (error) return base::Fail(base::ErrorCode::kInternal, error.message());
        }
        if (!options_.append_path.empty()) {
            append_fd_ = open(options_.append_path.c_str(),
                              O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
            if (append_fd_ < 0) return base::Fail(base::ErrorCode::kIo, std::strerror(errno));
        }
        error_code error;
        const tcp::endpoint here(asio::ip::address_v4::loopback(), options_.port);
        acceptor_.open(here.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(here, error);
        if (!error) acceptor_.listen(1024, error);
        if (error) return base::Fail(base::ErrorCode::kIo, error.message());
        port_ = acceptor_.local_endpoint().port();
        asio::co_spawn(io_, Accept(), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
        return {};
    }

    void Stop();
    ~Impl() {
        Stop();
        if (append_fd_ >= 0) close(append_fd_);
    }

    asio::awaitable<void> Accept();

    Fault Ask(const Moment& moment) {
        const Fault fault = options_.faults ? options_.faults(moment) : Fault::kNone;
        if (fault != Fault::kNone) {
            const std::lock_guard lock(mutex_);
            ++counts_.faults;
        }
        return fault;
    }

    // The place of the stored letter, to mark it as answered later.
    size_t Store(SinkLetter letter) {
        const std::lock_guard lock(mutex_);
        ++counts_.stored;
        counts_.bytes += letter.bytes.size();
        if (append_fd_ >= 0) Append(letter);
        if (!options_.keep_letters) return 0;
        letters_.push_back(std::move(letter));
        return letters_.size() - 1;
    }

    void MarkReplied(size_t place) {
        const std::lock_guard lock(mutex_);
        if (options_.keep_letters) letters_[place].replied = true;
    }

    void Violation(std::string text) {
        const std::lock_guard lock(mutex_);
        ++counts_.violations;
        counts_.last_violation = std::move(text);
    }

    void Append(const SinkLetter& letter) {
        std::string line;
        base::JsonWriter json(line);
        json.Begin('{').Key("n").Int(static_cast<int64_t>(counts_.stored));
        json.Key("from").String(letter.from).Key("to").String(letter.to);
        json.Key("size").Int(static_cast<int64_t>(letter.bytes.size()));
        if (options_.append_bodies) json.Key("raw").String(letter.bytes);
        json.End('}');
        line.push_back('\n');
        CHECK(write(append_fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
        if (options_.append_sync) CHECK(fdatasync(append_fd_) == 0);
    }

    SinkOptions options_;
    asio::io_context io_{1};
    asio::ssl::context tls_;
    tcp::acceptor acceptor_;
    std::string certificate_pem_;
    uint16_t port_ = 0;
    int append_fd_ = -1;
    uint64_t accepted_ = 0;
    std::set<Session*> sessions_;  // The thread's.
    bool stopped_ = false;
    std::thread thread_;
    mutable std::mutex mutex_;
    SinkCounts counts_;
    std::vector<SinkLetter> letters_;
};

// One connection, as one coroutine. Ends by returning false from a step.
class TestSink::Impl::Session {
  public:
    Session(Impl& sink, tcp::socket socket, uint64_t number)
        : sink_(sink), options_(sink.options_), socket_(std::move(socket)),
          timer_(socket_.get_executor()) {
        moment_.connection = number;
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        sink_.sessions_.insert(this);
        const std::lock_guard lock(sink_.mutex_);
        ++sink_.counts_.connections;
        ++sink_.counts_.open_connections;
        sink_.counts_.open_connections_max =
            std::max(sink_.counts_.open_connections_max, sink_.counts_.open_connections);
    }
    ~Session() {
        sink_.sessions_.erase(this);
        const std::lock_guard lock(sink_.mutex_);
        --sink_.counts_.open_connections;
    }

    static asio::awaitable<void> Run(std::unique_ptr<Session> self) { co_await self->Serve(); }

    void Abort() {
        error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
        timer_.cancel();
    }

  private:
    asio::awaitable<void> Serve() {
        if (options_.tls == SinkTls::kImplicit && !co_await Handshake()) co_return;
        if (!co_await Say(Stage::kBanner, "220 sink ESMTP\r\n")) co_return;
        if (!co_await Flush()) co_return;
        std::string line;
        while (co_await ReadLine(line)) {
            if (!co_await Obey(line)) co_return;
            // Answers to a pipelined group leave together, after one latency.
            if (buffer_.find('\n') == std::string::npos && !co_await Flush()) co_return;
        }
    }

    // False: the connection is over.
    asio::awaitable<bool> Obey(const std::string& line) {
        const std::string upper = Upper(line);
        if (upper.starts_with("EHLO ")) co_return co_await Say(Stage::kEhlo, EhloText());
        if (upper == "STARTTLS") co_return co_await StartTls();
        if (upper.starts_with("AUTH ")) co_return co_await Auth(line);
        if (upper.starts_with("MAIL FROM:")) co_return co_await Mail(line, upper);
        if (upper.starts_with("RCPT TO:")) co_return co_await Rcpt(line);
        if (upper == "DATA") co_return co_await Data();
        if (upper == "RSET") {
            have_from_ = have_to_ = false;
            answers_.append("250 2.0.0 reset\r\n");
            co_return true;
        }
        if (upper == "QUIT") {
            answers_.append("221 2.0.0 bye\r\n");
            co_await Flush();
            const std::lock_guard lock(sink_.mutex_);
            ++sink_.counts_.quits;
            co_return false;
        }
        sink_.Violation("unknown command: " + line);
        answers_.append("500 5.5.1 what\r\n");
        co_return true;
    }

    std::string EhloText() {
        greeted_ = true;
        std::string text = "250-sink\r\n";
        if (options_.pipelining) text.append("250-PIPELINING\r\n");
        if (options_.smtp_utf8) text.append("250-SMTPUTF8\r\n");
        if (options_.eight_bit) text.append("250-8BITMIME\r\n");
        if (options_.tls == SinkTls::kStartTls && !tls_) text.append("250-STARTTLS\r\n");
        if (!options_.user.empty()) {
            text.append(options_.auth_login_only ? "250-AUTH LOGIN\r\n"
                                                 : "250-AUTH PLAIN LOGIN\r\n");
        }
        if (options_.size_max != 0) {
            text.append("250-SIZE " + std::to_string(options_.size_max) + "\r\n");
        }
        text.append("250 ENHANCEDSTATUSCODES\r\n");
        return text;
    }

    asio::awaitable<bool> StartTls() {
        if (options_.tls != SinkTls::kStartTls || tls_) {
            answers_.append("502 5.5.1 no\r\n");
            co_return true;
        }
        const std::string text = options_.inject_after_starttls
                                     ? "220 2.0.0 go\r\n250-injected\r\n250 PIPELINING\r\n"
                                     : "220 2.0.0 go\r\n";
        const size_t before = answers_.size();
        if (!co_await Say(Stage::kStartTls, text)) co_return false;
        const bool granted = answers_.compare(before, 3, "220") == 0;
        if (!buffer_.empty()) sink_.Violation("bytes behind STARTTLS");
        if (!co_await Flush()) co_return false;
        if (!granted) co_return true;
        greeted_ = false;
        co_return co_await Handshake();
    }

    asio::awaitable<bool> Handshake() {
        tls_.emplace(socket_, sink_.tls_);
        error_code error;
        co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                       asio::redirect_error(asio::use_awaitable, error));
        co_return !error;
    }

    asio::awaitable<bool> Auth(const std::string& line) {
        std::string user, password;
        if (line.size() > 11 && Upper(line).starts_with("AUTH PLAIN ")) {
            std::string plain;
            base::Base64Decode(line.substr(11), plain);
            const size_t second = plain.find('\0', 1);
            if (!plain.empty() && second != std::string::npos) {
                user = plain.substr(1, second - 1);
                password = plain.substr(second + 1);
            }
        } else {
            std::string answer;
            for (std::string* field : {&user, &password}) {
                answers_.append(field == &user ? "334 VXNlcm5hbWU6\r\n" : "334 UGFzc3dvcmQ6\r\n");
                if (!co_await Flush() || !co_await ReadLine(answer)) co_return false;
                base::Base64Decode(answer, *field);
            }
        }
        authenticated_ = user == options_.user && password == options_.password;
        const std::string text = authenticated_ ? "235 2.7.0 welcome\r\n" : "535 5.7.8 no\r\n";
        co_return co_await Say(Stage::kAuth, text);
    }

    asio::awaitable<bool> Mail(const std::string& line, const std::string& upper) {
        ++moment_.transaction;
        const auto path = PathOf(line);
        from_ = path.value_or("");
        to_.clear();
        moment_.from = from_;
        moment_.to = {};
        if (!path || !greeted_ || have_from_) {
            sink_.Violation("MAIL out of order or malformed: " + line);
            answers_.append("503 5.5.1 order\r\n");
            co_return true;
        }
        if (!options_.user.empty() && !authenticated_) {
            answers_.append("530 5.7.0 authenticate\r\n");
            co_return true;
        }
        const size_t size_at = upper.find(" SIZE=");
        if (options_.size_max != 0 && size_at != std::string::npos &&
            std::strtoull(upper.c_str() + size_at + 6, nullptr, 10) > options_.size_max) {
            answers_.append("552 5.3.4 too large\r\n");
            co_return true;
        }
        const size_t before = answers_.size();
        if (!co_await Say(Stage::kMail, "250 2.1.0 ok\r\n")) co_return false;
        have_from_ = answers_[before] == '2';
        co_return true;
    }

    asio::awaitable<bool> Rcpt(const std::string& line) {
        const auto path = PathOf(line);
        if (!have_from_ || !path) {
            answers_.append("503 5.5.1 order\r\n");
            co_return true;
        }
        if (have_to_) sink_.Violation("a second recipient");
        to_ = *path;
        moment_.to = to_;
        const size_t before = answers_.size();
        if (!co_await Say(Stage::kRcpt, "250 2.1.5 ok\r\n")) co_return false;
        have_to_ = answers_[before] == '2';
        co_return true;
    }

    asio::awaitable<bool> Data() {
        if (!have_to_ && !options_.accept_data_without_recipient) {
            answers_.append(have_from_ ? "554 5.5.1 no valid recipients\r\n"
                                       : "503 5.5.1 order\r\n");
            co_return true;
        }
        const size_t before = answers_.size();
        if (!co_await Say(Stage::kData, "354 go on\r\n")) co_return false;
        const bool go_on = answers_[before] == '3';
        if (!buffer_.empty()) sink_.Violation("the letter came before the 354");
        if (!go_on) co_return true;
        if (!co_await Flush()) co_return false;
        co_return co_await Body();
    }

    asio::awaitable<bool> Body() {
        Fault body_fault = Fault::kNone;
        bool asked = false;
        size_t end = std::string::npos;
        size_t looked = 0;
        while (true) {
            if (!asked && !buffer_.empty()) {
                asked = true;
                moment_.stage = Stage::kBody;
                body_fault = sink_.Ask(moment_);
                if (body_fault == Fault::kGarbage) answers_.append("%%% garbage\r\n");
                if (body_fault == Fault::kGarbage) {
                    co_await Flush();
                    co_return false;
                }
                if (!co_await Survive(body_fault)) co_return false;
            }
            if (buffer_.starts_with(".\r\n")) {
                end = 0;
                break;
            }
            end = buffer_.find("\r\n.\r\n", looked);
            if (end != std::string::npos) break;
            looked = buffer_.size() < 4 ? 0 : buffer_.size() - 4;
            if (!co_await ReadMore()) co_return false;
        }
        const size_t size = end == 0 ? 0 : end + 2;
        std::string wire = buffer_.substr(0, size);
        buffer_.erase(0, size + 3);
        co_return co_await Ended(std::move(wire), body_fault);
    }

    asio::awaitable<bool> Ended(std::string wire, Fault body_fault) {
        const bool meant = have_to_;
        have_from_ = have_to_ = false;
        if (HasBareCrOrLf(wire)) sink_.Violation("bare CR or LF in a letter");
        if (!meant) {
            answers_.append("554 5.5.1 no valid recipients\r\n");
            co_return true;
        }
        if (body_fault == Fault::kTemporary || body_fault == Fault::kPermanent) {
            answers_.append(Refusal(body_fault));
            co_return true;
        }
        moment_.stage = Stage::kDotNotStored;
        const Fault dropped = sink_.Ask(moment_);
        if (dropped != Fault::kNone) {
            if (!Speak(dropped)) co_return co_await Survive(dropped);
            co_return true;
        }
        const size_t place = sink_.Store({from_, to_, Unstuffed(wire), false});
        moment_.stage = Stage::kDotStored;
        const Fault stored = sink_.Ask(moment_);
        if (stored != Fault::kNone) {
            if (!Speak(stored)) co_return co_await Survive(stored);
            co_return true;
        }
        answers_.append("250 2.0.0 stored\r\n");
        sink_.MarkReplied(place);
        moment_.stage = Stage::kAfterReply;
        const Fault after = sink_.Ask(moment_);
        if (after == Fault::kNone) co_return true;
        if (!co_await Flush()) co_return false;
        co_return co_await Survive(after);
    }

    // Appends the answer of a speaking fault; false for the silent ones.
    bool Speak(Fault fault) {
        if (fault == Fault::kGarbage) {
            answers_.append("%%% garbage\r\n");
            return true;
        }
        if (fault != Fault::kTemporary && fault != Fault::kPermanent) return false;
        answers_.append(Refusal(fault));
        return true;
    }

    std::string Refusal(Fault fault) const {
        if (fault == Fault::kTemporary) {
            return moment_.stage == Stage::kBanner ? "421 4.3.2 later\r\n" : "451 4.3.0 later\r\n";
        }
        return moment_.stage == Stage::kBanner ? "554 5.3.2 never\r\n" : "550 5.1.1 never\r\n";
    }

    // Answers `text`, or as the fault of this stage demands. False: the connection is over.
    asio::awaitable<bool> Say(Stage stage, std::string text) {
        moment_.stage = stage;
        const Fault fault = sink_.Ask(moment_);
        if (fault == Fault::kNone) {
            answers_.append(text);
            co_return true;
        }
        if (Speak(fault)) {
            if (stage == Stage::kBanner) {
                co_await Flush();
                co_return false;
            }
            co_return true;
        }
        co_return co_await Survive(fault);
    }

    // Carries out the silent faults. True when there is none.
    asio::awaitable<bool> Survive(Fault fault) {
        if (fault == Fault::kStall) {
            std::array<char, 4096> waste;
            error_code error;
            while (!error) {
                co_await socket_.async_read_some(asio::buffer(waste),
                                                 asio::redirect_error(asio::use_awaitable, error));
            }
            co_return false;
        }
        if (fault == Fault::kReset) {
            error_code ignored;
            socket_.set_option(asio::socket_base::linger(true, 0), ignored);
            socket_.close(ignored);
            co_return false;
        }
        co_return fault != Fault::kClose;
    }

    asio::awaitable<bool> Flush() {
        if (answers_.empty()) co_return true;
        error_code error;
        if (options_.latency_ms > 0) {
            timer_.expires_after(std::chrono::milliseconds(options_.latency_ms));
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return false;
        }
        if (tls_) {
            co_await asio::async_write(*tls_, asio::buffer(answers_),
                                       asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await asio::async_write(socket_, asio::buffer(answers_),
                                       asio::redirect_error(asio::use_awaitable, error));
        }
        answers_.clear();
        co_return !error;
    }

    asio::awaitable<bool> ReadMore() {
        error_code error;
        size_t size = 0;
        if (tls_) {
            size = co_await tls_->async_read_some(
                asio::buffer(chunk_), asio::redirect_error(asio::use_awaitable, error));
        } else {
            size = co_await socket_.async_read_some(
                asio::buffer(chunk_), asio::redirect_error(asio::use_awaitable, error));
        }
        buffer_.append(chunk_.data(), size);
        co_return !error;
    }

    asio::awaitable<bool> ReadLine(std::string& line) {
        size_t end = buffer_.find('\n');
        while (end == std::string::npos) {
            if (!co_await ReadMore()) co_return false;
            end = buffer_.find('\n');
        }
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (line.empty() || line.back() != '\r') {
            sink_.Violation("bare LF in a command");
        } else {
            line.pop_back();
        }
        if (line.find('\r') != std::string::npos) sink_.Violation("bare CR in a command");
        co_return true;
    }

    Impl& sink_;
    const SinkOptions& options_;
    tcp::socket socket_;
    std::optional<asio::ssl::stream<tcp::socket&>> tls_;
    asio::steady_timer timer_;
    Moment moment_;
    std::array<char, 65536> chunk_;
    std::string buffer_;
    std::string answers_;
    std::string from_, to_;
    bool greeted_ = false;
    bool authenticated_ = false;
    bool have_from_ = false;
    bool have_to_ = false;
};

asio::awaitable<void> TestSink::Impl::Accept() {
    while (true) {
        error_code error;
        tcp::socket socket = co_await acceptor_.async_accept(
            asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
        if (error) continue;
        auto session = std::make_unique<Session>(*this, std::move(socket), ++accepted_);
        asio::co_spawn(io_, Session::Run(std::move(session)), asio::detached);
    }
}

void TestSink::Impl::Stop() {
    if (stopped_ || !thread_.joinable()) return;
    stopped_ = true;
    asio::post(io_, [this] {
        error_code ignored;
        acceptor_.close(ignored);
        for (Session* session : sessions_) session->Abort();
    });
    thread_.join();  // Every coroutine ends with its socket.
}

base::Result<std::unique_ptr<TestSink>> TestSink::Start(SinkOptions options) {
    auto impl = std::make_unique<Impl>(std::move(options));
    TRY(impl->Start());
    return std::unique_ptr<TestSink>(new TestSink(std::move(impl)));
}

TestSink::TestSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TestSink::~TestSink() = default;

uint16_t TestSink::port() const { return impl_->port_; }
std::string TestSink::CertificatePem() const { return impl_->certificate_pem_; }
void TestSink::Stop() { impl_->Stop(); }

std::string TestSink::Url() const {
    const SinkOptions& options = impl_->options_;
    std::string url = options.tls == SinkTls::kImplicit   ? "smtps://"
                      : options.tls == SinkTls::kStartTls ? "smtp+starttls://"
                                                          : "smtp://";
    if (!options.user.empty()) url += options.user + ":" + options.password + "@";
    return url + "127.0.0.1:" + std::to_string(impl_->port_);
}

SinkCounts TestSink::Counts() const {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->counts_;
}

std::vector<SinkLetter> TestSink::Letters() const {
    const std::lock_guard lock(impl_->mutex_);
    return impl_->letters_;
}

base::Result<std::vector<ChanceFault>> ReadFaults(std::string_view text) {
    std::vector<ChanceFault> out;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        const size_t first = item.find(':');
        const size_t second = item.find(':', first == std::string_view::npos ? first : first + 1);
        if (second == std::string_view::npos) return base::Invalid("stage:fault:share", "faults");
        const auto* const stage =
            std::find(std::begin(kStageNames), std::end(kStageNames), item.substr(0, first));
        const auto* const fault = std::find(std::begin(kFaultNames), std::end(kFaultNames),
                                            item.substr(first + 1, second - first - 1));
        if (stage == std::end(kStageNames) || fault == std::end(kFaultNames)) {
            return base::Invalid("no such stage or fault", std::string(item));
        }
        const double share = std::strtod(std::string(item.substr(second + 1)).c_str(), nullptr);
        out.push_back({static_cast<Stage>(stage - kStageNames),
                       static_cast<Fault>(fault - kFaultNames), share});
    }
    return out;
}

std::function<Fault(const Moment&)> FaultsByChance(std::vector<ChanceFault> faults,
                                                   uint64_t seed) {
    return [faults = std::move(faults), seed](const Moment& moment) {
        for (size_t i = 0; i < faults.size(); ++i) {
            if (faults[i].stage != moment.stage) continue;
            const uint64_t drawn = base::Mix64(
                seed ^ base::Mix64(moment.connection * 1'000'003 + moment.transaction * 64 + i));
            const double share = static_cast<double>(drawn >> 11) * 0x1.0p-53;
            if (share < faults[i].share) return faults[i].fault;
        }
        return Fault::kNone;
    };
}

}  // namespace smtp
