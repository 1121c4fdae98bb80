#include "bench/raw_ingest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <simdjson.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <map>
#include <vector>

#include "base/hash.h"
#include "bench/figure.h"

namespace bench {
namespace {

constexpr size_t kFileBytes = 64 << 20;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
    "{\"success\":true}";

struct Peer {
    std::string text;
    size_t body = 0;      // Where the body begins; 0: the head is not whole.
    size_t whole = 0;
};

void Walk(simdjson::ondemand::value value, uint64_t& sum) {
    switch (value.type().value()) {
        case simdjson::ondemand::json_type::object:
            for (auto field : value.get_object()) {
                sum += std::string_view(field.unescaped_key().value()).size();
                Walk(field.value(), sum);
            }
            break;
        case simdjson::ondemand::json_type::array:
            for (auto element : value.get_array()) Walk(element.value(), sum);
            break;
        case simdjson::ondemand::json_type::string:
            sum += std::string_view(value.get_string().value()).size();
            break;
        default: sum += std::string_view(value.raw_json_token()).size();
    }
}

// One frame for each event of the body.
void Frame(std::string& out, Peer& peer, simdjson::ondemand::parser& parser, uint64_t& sum) {
    const size_t size = peer.text.size() - peer.body;
    peer.text.reserve(peer.text.size() + simdjson::SIMDJSON_PADDING);
    auto document = parser.iterate(peer.text.data() + peer.body, size,
                                   size + simdjson::SIMDJSON_PADDING);
    for (auto event : document["batch"].get_array()) {
        simdjson::ondemand::value value = event.value();
        simdjson::ondemand::object object = value.get_object();
        for (auto field : object) {
            sum += std::string_view(field.unescaped_key().value()).size();
            Walk(field.value(), sum);
        }
        object.reset();
        const std::string_view raw = object.raw_json();
        const uint32_t head[2] = {static_cast<uint32_t>(raw.size()),
                                  base::Crc32c(0, raw.data(), raw.size())};
        out.append(reinterpret_cast<const char*>(head), sizeof head);
        out.append(raw);
    }
}

bool Receive(int socket, Peer& peer) {
    if (peer.text.capacity() < (128 << 10)) peer.text.reserve(128 << 10);
    const size_t before = peer.text.size();
    peer.text.resize(peer.text.capacity());
    const ssize_t n = recv(socket, peer.text.data() + before, peer.text.size() - before, 0);
    peer.text.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n <= 0) return false;
    if (peer.body == 0) {
        const size_t end = peer.text.find("\r\n\r\n");
        if (end == std::string::npos) return true;
        const size_t at = peer.text.find("Content-Length: ");
        size_t length = 0;
        std::from_chars(peer.text.data() + at + 16, peer.text.data() + end, length);
        peer.body = end + 4;
        peer.whole = peer.body + length;
        peer.text.reserve(peer.whole + 64);
    }
    return true;
}

}  // namespace

RawIngest::RawIngest(const std::string& directory) {
    file_ = open((directory + "/raw").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    const std::string fill(1 << 20, 'x');
    for (size_t at = 0; at < kFileBytes; at += fill.size()) {
        if (pwrite(file_, fill.data(), fill.size(), static_cast<off_t>(at)) < 0) Die("no file");
    }
    fsync(file_);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 256) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        Die("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
}

RawIngest::~RawIngest() {
    stop_ = true;
    thread_.join();
    close(listener_);
    close(file_);
}

void RawIngest::Serve() {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const auto watch = [&](int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    };
    watch(listener_);
    std::map<int, Peer> peers;
    simdjson::ondemand::parser parser;
    std::string group;
    std::vector<int> answer;
    size_t at = 0;
    uint64_t sum = 0;
    while (!stop_) {
        epoll_event ready[256];
        const int n = epoll_wait(epoll, ready, 256, 100);
        group.clear();
        answer.clear();
        for (int i = 0; i < n; ++i) {
            const int fd = ready[i].data.fd;
            if (fd == listener_) {
                const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                const int one = 1;
                setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(socket);
                continue;
            }
            Peer& peer = peers[fd];
            if (!Receive(fd, peer)) {
                close(fd);
                peers.erase(fd);
                continue;
            }
            if (peer.body == 0 || peer.text.size() < peer.whole) continue;
            Frame(group, peer, parser, sum);
            peer.text.clear();
            peer.body = peer.whole = 0;
            answer.push_back(fd);
        }
        if (answer.empty()) continue;
        if (at + group.size() > kFileBytes) at = 0;
        if (pwrite(file_, group.data(), group.size(), static_cast<off_t>(at)) < 0 ||
            fdatasync(file_) != 0) {
            Die("cannot write");
        }
        at += group.size();
        for (const int fd : answer) {
            if (send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) Die("cannot answer");
        }
    }
    for (const auto& [fd, peer] : peers) close(fd);
    close(epoll);
    if (sum == 0) Note("nothing was read");
}

}  // namespace bench
