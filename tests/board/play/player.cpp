#include "tests/board/play/player.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <format>

#include <drm_fourcc.h>

#include "protected-path/base/log.h"

namespace vitrine {

struct Player::Stage {
  HeapTable table;
  std::optional<TeeDevice> tee;
  std::optional<FrameFiller> filler;
  std::unique_ptr<WaylandConnection> connection;
  std::optional<ProtectedBuffers> buffers;
  std::unique_ptr<VideoWindow> window;
  std::optional<SurfaceProtection> protection; ///< of the window's surface
};

Player::Player(ClipReader& clip, const PlayerOptions& options, StopSignals& stop)
    : clip_(clip), options_(options), stop_(stop), pacer_(clip.header().rateNumerator, clip.header().rateDenominator) {}

Player::~Player() = default;

Result<> Player::play(const ClipKey& key) {
  auto done = unlessStopped(setUp(key));
  if (done && report_.endedBy.empty()) done = unlessStopped(run());
  if (done && stage_->window) {
    // The signal may have been for the compositor, too, which then has no feedback left to give.
    auto drained = drain();
    if (report_.endedBy != "signal") done = unlessStopped(drained);
  }
  if (!done) report_.endedBy = "error";
  if (started_ != 0) report_.seconds = static_cast<double>(now() - started_) / 1e9;
  report_.framesMissed = pacer_.missed();
  return done;
}

/** A signal ends a wait with EINTR, and a call of the TEE with ECANCELED. */
Result<> Player::unlessStopped(Result<> done) {
  if (done || done.error().kind != ErrorKind::System) return done;
  const bool cutShort = done.error().number == EINTR || done.error().number == ECANCELED;
  if (!cutShort || !stop_.stopped()) return done;
  if (report_.endedBy.empty()) report_.endedBy = "signal";
  return {};
}

Result<> Player::setUp(const ClipKey& key) {
  stage_ = std::make_unique<Stage>();
  if (auto done = openBuffers(); !done) return done;
  // Now: no key for a machine that cannot keep what is decrypted with it.
  if (auto done = openFiller(key); !done) return done;
  return openWindow();
}

Result<> Player::openBuffers() {
  const ClipHeader& header = clip_.header();
  auto heaps = ProtectedBuffers::chooseHeaps(header, stage_->table, options_.heapName);
  if (!heaps) return std::unexpected(heaps.error());
  auto tee = TeeDevice::open();
  if (!tee) return std::unexpected(tee.error());
  stage_->tee.emplace(std::move(*tee));
  auto connection = WaylandConnection::open(stop_.fd());
  if (!connection) return std::unexpected(connection.error());
  stage_->connection = std::move(*connection);
  if (!stage_->connection->takes({DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR}))
    return invalid("use", "the compositor", "it takes no NV12 LINEAR dma-bufs (zwp_linux_dmabuf_v1)");
  const bool canClaim = stage_->connection->globals().restrictedBuffer != nullptr;
  if (options_.claim == ClaimMode::Always && !canClaim)
    return invalid("use", "the compositor", "it lacks weston_restricted_buffer_v1", "leave out --flag always");
  report_.claimed = canClaim && options_.claim != ClaimMode::Never;

  if (auto done = askForProtection(*heaps); !done) return done;
  auto buffers = ProtectedBuffers::create(header, *heaps, stage_->table, *stage_->tee, *stage_->connection,
                                          report_.claimed, options_.buffers, report_.buffers);
  if (!buffers) return std::unexpected(buffers.error());
  stage_->buffers.emplace(std::move(*buffers));
  report_.heap = stage_->buffers->heapName();
  report_.evidence = stage_->buffers->evidence();
  if (report_.buffers < options_.buffers)
    log("play").warn("heap {} gave {} of {} buffers; playing with those (it needs {})", report_.heap, report_.buffers,
                     options_.buffers, ProtectedBuffers::minimum);
  return {};
}

Result<> Player::openFiller(const ClipKey& key) {
  const ClipHeader& header = clip_.header();
  const TeePatience patience{.stopFd = stop_.fd()};
  auto filler = options_.application
                    ? FrameFiller::open(*stage_->tee, *options_.application, key, header.frameBytes, patience)
                    : FrameFiller::open(*stage_->tee, key, header.frameBytes, patience);
  if (!filler) return std::unexpected(filler.error());
  stage_->filler.emplace(std::move(*filler));
  report_.application = stage_->filler->application();
  return {};
}

Result<> Player::openWindow() {
  const ClipHeader& header = clip_.header();
  VideoWindowOptions options;
  options.videoSize = header.size;
  options.shownSize = options_.shownSize;
  options.fullscreen = options_.fullscreen;
  options.transform = options_.transform;
  options.covered = options_.covered;
  options.colorRepresentation = stage_->connection->colorRepresentationFor(header.encoding, header.range);
  report_.colorTold = options.colorRepresentation.has_value();
  if (!report_.colorTold)
    log("play").info("the compositor cannot be told that the clip is {} {} (wp_color_representation)",
                     colorEncodingName(header.encoding), colorRangeName(header.range));
  auto window = VideoWindow::create(*stage_->connection, options, *this);
  if (!window) return std::unexpected(window.error());
  stage_->window = std::move(*window);
  if (stage_->connection->globals().protectedContent) followOutcome();
  return {};
}

/** Asks the compositor, before anything is allocated, what it can show and from which heaps; leaves those that it names. */
Result<> Player::askForProtection(std::vector<Heap>& heaps) {
  WaylandConnection& connection = *stage_->connection;
  if (!connection.globals().protectedContent) return {};
  const WaylandPtr<wl_surface> surface(wl_compositor_create_surface(connection.globals().compositor.get()));
  SurfaceProtection protection(connection, surface.get());
  if (auto done = protection.ask(); !done) return done;
  report_.attainable = protection.attainable();
  for (const ProtectionAnswer& answer : report_.attainable)
    if (!answer.refusal.empty())
      log("play").warn("output {}: protected content cannot be shown: {} ({})", answer.output, answer.reason,
                       answer.refusal);
  const auto isUnnamed = [&](const Heap& heap) { return !std::ranges::contains(protection.heaps(), heap.name); };
  if (std::ranges::all_of(heaps, isUnnamed)) return {}; // such as a heap that the user chose
  std::erase_if(heaps, isUnnamed);
  return {};
}

void Player::followOutcome() {
  stage_->protection.emplace(*stage_->connection, stage_->window->surface());
  stage_->protection->onOutcome = [this](const ProtectionAnswer& answer) {
    if (report_.outcomes.size() < PlayerReport::maximumOutcomes) report_.outcomes.push_back(answer);
    log("play").info("output {}: {}{}", answer.output, answer.path,
                     answer.refusal.empty() ? "" : std::format(": {} ({})", answer.reason, answer.refusal));
  };
}

uint64_t Player::frameLimit() const {
  const uint64_t frames = options_.loop ? UINT64_MAX : clip_.header().frameCount;
  return std::min(frames, options_.frames.value_or(UINT64_MAX));
}

bool Player::finished() {
  if (!report_.endedBy.empty()) return true;
  if (stop_.stopped())
    report_.endedBy = "signal";
  else if (closed_)
    report_.endedBy = "window";
  else if (deadline_ && now() >= *deadline_)
    report_.endedBy = "seconds";
  return !report_.endedBy.empty();
}

Nanoseconds Player::presentationNow() const {
  timespec time{};
  clock_gettime(stage_->connection->presentationClock(), &time);
  return toNanoseconds(time);
}

Result<> Player::run() {
  if (options_.seconds) deadline_ = now() + static_cast<Nanoseconds>(*options_.seconds * 1e9);
  while (!finished()) {
    const auto wakeUp = showDue();
    if (!wakeUp) return std::unexpected(wakeUp.error());
    if (!report_.endedBy.empty()) break;
    // One buffer at a time: filling blocks, and an event that came meanwhile may be a frame to show.
    const bool fills = stage_->buffers->findFree() != nullptr && nextFill_ < frameLimit();
    if (fills)
      if (auto done = fillOne(); !done) return done;
    Nanoseconds timeout = fills ? 0 : -1;
    if (!fills && *wakeUp) timeout = std::max<Nanoseconds>(**wakeUp - presentationNow(), 0);
    if (!fills && deadline_) {
      const Nanoseconds left = std::max<Nanoseconds>(*deadline_ - now(), 0);
      timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    if (auto done = stage_->connection->dispatch(timeout); !done) return done;
  }
  return {};
}

/** Shows the frame that is due, if one is; else says when to look again. */
Result<std::optional<Nanoseconds>> Player::showDue() {
  const FramePacer::Decision decision = pacer_.decide(presentationNow(), frameWanted_);
  if (!decision.frame) return decision.wakeUpTime;
  const uint64_t frame = *decision.frame;
  if (frame >= frameLimit()) {
    report_.endedBy = options_.frames && frameLimit() == *options_.frames ? "frames" : "clip";
    return std::nullopt;
  }
  // Who is late shows what there is: waiting for the very frame, a slow TEE would never show one.
  ProtectedBuffer* buffer = stage_->buffers->findLatest(frame);
  if (buffer == nullptr && nextFill_ > frame) buffer = stage_->buffers->findEarliest();
  nextFill_ = std::max(nextFill_, frame);
  if (buffer == nullptr) return std::nullopt; // it is filled next, or once a buffer comes back
  stage_->buffers->dropBefore(buffer->frame);
  buffer->state = ProtectedBuffer::State::Submitted;
  frameWanted_ = false;
  stage_->window->show(buffer->waylandBuffer(), buffer->frame);
  pacer_.committed(buffer->frame);
  report_.framesSubmitted += 1;
  if (started_ == 0) started_ = now();
  return std::nullopt;
}

Result<> Player::fillOne() {
  const uint64_t frame = nextFill_++;
  return fill(*stage_->buffers->findFree(), frame);
}

Result<> Player::fill(ProtectedBuffer& buffer, uint64_t frame) {
  const ClipHeader& header = clip_.header();
  const uint64_t number = frame % header.frameCount;
  const auto ciphertext = clip_.readFrame(number);
  if (!ciphertext) return std::unexpected(ciphertext.error());
  const Nanoseconds begin = now();
  if (auto done = stage_->filler->fill(buffer.teeMemory(), *ciphertext, frameCounter(header, number)); !done)
    return done;
  if (report_.fillTimes.size() < PlayerReport::maximumFillTimes) report_.fillTimes.push_back(now() - begin);
  buffer.frame = frame;
  buffer.state = ProtectedBuffer::State::Filled;
  return {};
}

/** Waits for the feedback of what was submitted, for a second at most: a hidden window may never get it. */
Result<> Player::drain() {
  const Nanoseconds deadline = now() + 1'000'000'000;
  while (stage_->window->pendingFeedback() > 0 && now() < deadline)
    if (auto done = stage_->connection->dispatch(deadline - now()); !done) return done;
  return {};
}

void Player::frameWanted() {
  frameWanted_ = true;
}

void Player::presented(uint64_t frame, const Presentation& presentation) {
  pacer_.presented(frame, presentation.time, presentation.refresh, presentation.sequence);
  const uint64_t number = frame % clip_.header().frameCount;
  report_.framesPresented += 1;
  if (presentation.zeroCopy) report_.zeroCopy += 1;
  if (!report_.firstPresentedFrame) report_.firstPresentedFrame = number;
  report_.lastPresentedFrame = number;
}

void Player::discarded(uint64_t frame) {
  pacer_.discarded(frame, presentationNow());
  report_.framesDiscarded += 1;
}

void Player::closed() {
  closed_ = true;
}

} // namespace vitrine
