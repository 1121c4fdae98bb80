#include "net/http/upgrade.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "net/http/connection.h"

namespace http {
namespace {

using std::chrono::milliseconds;
using WaitType = boost::asio::posix::stream_descriptor::wait_type;

constexpr size_t kPiecesAtOnce = 16;

}  // namespace

// --- the wire ----------------------------------------------------------------------------------

bool LoopWire::Send(Piece piece, size_t bytes_max) {
    {
        const std::lock_guard lock(mutex_);
        if (ended_ || finishing_ || waiting_ + piece->size() > bytes_max) return false;
        waiting_ += piece->size();
        queue_.push_back(std::move(piece));
        if (std::exchange(woken_, true)) return true;
    }
    Wake();
    return true;
}

void LoopWire::Finish(Piece last, int linger_ms) {
    {
        const std::lock_guard lock(mutex_);
        if (ended_ || finishing_) return;
        finishing_ = true;
        linger_ms_ = linger_ms;
        // A piece that was begun has to end, or its reader could not read the last one.
        while (queue_.size() > (front_at_ > 0 ? 1u : 0u)) {
            waiting_ -= queue_.back()->size();
            queue_.pop_back();
        }
        waiting_ += last->size();
        queue_.push_back(std::move(last));
        woken_ = true;
    }
    Wake();
}

void LoopWire::Wake() {
    loop_->Post([connection = connection_] {
        if (const auto there = connection.lock()) there->OnWire();
    });
}

size_t LoopWire::waiting_bytes() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
}

bool LoopWire::finishing() const {
    const std::lock_guard lock(mutex_);
    return finishing_;
}

int LoopWire::linger_ms() const {
    const std::lock_guard lock(mutex_);
    return linger_ms_;
}

void LoopWire::End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    queue_.clear();
    waiting_ = 0;
}

LoopWire::Flushed LoopWire::Flush(int fd) {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    while (!queue_.empty()) {
        iovec parts[kPiecesAtOnce];
        const size_t count = std::min(queue_.size(), kPiecesAtOnce);
        for (size_t i = 0; i < count; ++i) {
            const size_t skip = i == 0 ? front_at_ : 0;
            parts[i] = {const_cast<char*>(queue_[i]->data()) + skip, queue_[i]->size() - skip};
        }
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK ? Flushed::kFull : Flushed::kBroken;
        }
        auto left = static_cast<size_t>(sent);
        waiting_ -= left;
        while (!queue_.empty() && left >= queue_.front()->size() - front_at_) {
            left -= queue_.front()->size() - front_at_;
            front_at_ = 0;
            queue_.pop_front();
        }
        front_at_ += left;
    }
    return finishing_ ? Flushed::kFinished : Flushed::kAll;
}

// --- the connection ----------------------------------------------------------------------------

void Connection::BeginUpgrade() {
    upgrade_ = std::move(answer_.upgrade);
    answer_ = Response();
    out_ = std::string();
    reader_.Shrink();
    // What the system holds for one slow reader is bounded, too.
    const int bytes = limits::kSocketSystemBytes;
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    wire_ = std::make_shared<LoopWire>(loop_.shared_from_this(), weak_from_this());
    phase_ = Phase::kUpgraded;
    upgrade_->Begin(wire_);
    const std::string early = std::exchange(pending_, std::string());
    if (!early.empty()) upgrade_->Received(early);
}

Connection::Step Connection::UpgradedStep() {
    switch (wire_->Flush(fd_)) {
        case LoopWire::Flushed::kAll: break;
        case LoopWire::Flushed::kFull: Wait(WaitType::wait_write); break;
        case LoopWire::Flushed::kBroken: Close(); return Step::kWait;
        case LoopWire::Flushed::kFinished:
            EndUpgrade();
            ::shutdown(fd_, SHUT_WR);
            phase_ = Phase::kLinger;
            since_ = std::chrono::steady_clock::now();
            readable_ = true;
            return Step::kAgain;
    }
    if (!readable_) {
        Wait(WaitType::wait_read);
        return Step::kWait;
    }
    const ssize_t got = ::recv(fd_, loop_.read_buffer(), Loop::kReadBufferBytes, MSG_DONTWAIT);
    if (got <= 0) {
        readable_ = got < 0 && errno == EINTR;
        if (got == 0 || (!readable_ && errno != EAGAIN && errno != EWOULDBLOCK)) Close();
        return Step::kAgain;
    }
    readable_ = static_cast<size_t>(got) == Loop::kReadBufferBytes;
    if (!wire_->finishing()) {
        upgrade_->Received({loop_.read_buffer(), static_cast<size_t>(got)});
    }
    return Step::kAgain;
}

void Connection::EndUpgrade() {
    if (!upgrade_) return;
    wire_->End();
    std::exchange(upgrade_, nullptr)->Ended();
}

void Connection::SweepUpgraded(SteadyTime now) {
    if (!wire_->finishing()) return upgrade_->Sweep(now);
    if (!finish_by_) finish_by_ = now + milliseconds(wire_->linger_ms());
    if (now >= *finish_by_) Close();
}

}  // namespace http
