#include "compositor/outputs/output_manager.h"

#include <algorithm>

#include "protected-path/base/log.h"
#include "protected-path/kms/modeset.h"

namespace vitrine {
namespace {

constexpr int firstRetryMilliseconds = 250;
constexpr int mostDoublings = 7; ///< 32 s

} // namespace

OutputManager::OutputManager(const Machine& machine, wl_event_loop& loop)
    : machine_(machine), retry_(loop, *this, [](OutputManager& self) { self.reconcile(); }) {
  layoutChanged_.connect(machine_.layout.events.change, [this](void*) { followLayout(); });
}

OutputManager::~OutputManager() {
  layoutChanged_.disconnect();
}

Output* OutputManager::find(const wlr_output& base) const {
  const auto found = std::ranges::find(outputs_, &base, [](const auto& each) { return each->kms().base(); });
  return found != outputs_.end() ? found->get() : nullptr;
}

void OutputManager::add(wlr_output& base) {
  KmsOutput* kms = KmsOutput::from(&base);
  if (kms == nullptr || !wlr_output_init_render(&base, &machine_.allocator, &machine_.renderer)) return;
  outputs_.push_back(std::make_unique<Output>(*kms, machine_.output, machine_.configured(base.name)));
  Output* added = outputs_.back().get();
  added->onModesetDue = [this] { retryLater(); };
  kms->onGone = [this, added] {
    boxes_.erase(added);
    std::erase_if(outputs_, [added](const auto& output) { return output.get() == added; });
  };
}

Result<> OutputManager::tryModes(std::span<const Attempt> attempts, Try how) {
  Modeset modeset(machine_.kms.device());
  std::vector<KmsFrame> pictures(attempts.size());
  for (size_t i = 0; i < attempts.size(); ++i) {
    auto picture = attempts[i].output->firstPicture(*attempts[i].mode);
    if (!picture) return std::unexpected(picture.error());
    pictures[i] = std::move(*picture);
    auto added = modeset.turnOn(attempts[i].output->kms().pipe(), *attempts[i].mode, pictures[i]);
    if (!added) return added;
  }
  for (const auto& output : outputs_) {
    if (output->kms().pipe().mode() && !output->isWanted()) modeset.turnOff(output->kms().pipe());
  }
  if (!owned_) modeset.turnOffTheRest();
  if (how == Try::Test) return modeset.test();
  for (const auto& output : outputs_) {
    if (modeset.changes(output->kms().pipe())) output->abandonFrame();
  }
  return modeset.commit();
}

/** The first mode of each output that passes a test together with those of the outputs before it. */
std::vector<OutputManager::Attempt> OutputManager::findModes(std::span<Output* const> outputs) {
  std::vector<Attempt> found;
  for (Output* output : outputs) {
    Result<> tested = missing("turn on", output->kms().connector().name, "it has no mode");
    for (const Mode* mode : output->modesToTry()) {
      found.push_back({output, mode});
      tested = tryModes(found, Try::Test);
      if (tested) break;
      found.pop_back();
    }
    if (!tested) log("output").warn("{}: no mode works: {}", output->kms().connector().name, tested.error().text());
  }
  return found;
}

/** Turns these on, and off what is not wanted, in one commit. Which of them are on afterwards, or why none is. */
Result<std::vector<OutputManager::Attempt>> OutputManager::turnOn(std::span<Output* const> outputs) {
  std::vector<Attempt> best;
  for (Output* output : outputs) {
    if (const auto modes = output->modesToTry(); !modes.empty()) best.push_back({output, modes.front()});
  }
  if (best.size() == outputs.size() && tryModes(best, Try::Commit)) return best;
  best = findModes(outputs);
  if (best.empty() && !outputs.empty()) return missing("turn on", "outputs", "no mode works, see above");
  if (auto done = tryModes(best, Try::Commit); !done) return std::unexpected(done.error());
  return best;
}

void OutputManager::reconcile() {
  if (!active_) return;
  retry_.stop();
  std::vector<Output*> toTurnOn;
  bool toTurnOff = false;
  bool mends = false; // frames failed: a modeset that passes is no proof that they will not fail again
  for (const auto& output : outputs_) {
    if (output->isWanted() && output->needsModeset()) toTurnOn.push_back(output.get());
    mends = mends || output->isModesetDue();
    toTurnOff = toTurnOff || (!output->isWanted() && output->kms().pipe().mode());
  }
  bool complete = true;
  if (!owned_ || toTurnOff || !toTurnOn.empty()) {
    const auto done = turnOn(toTurnOn);
    if (done) owned_ = true;
    if (!done) log("output").warn("{}", done.error().text());
    complete = done && done->size() == toTurnOn.size();
  }
  settle();
  for (const auto& output : outputs_)
    output->forgetVerdicts();
  for (const auto& output : outputs_)
    complete = complete && (!output->isWanted() || output->isSettled());
  if (!complete) {
    retryLater();
  } else if (!mends) {
    failures_ = 0;
  }
  if (onReconciled) onReconciled();
}

/** Has outputs and layout follow what the pipes do now. */
void OutputManager::settle() {
  for (const auto& output : outputs_) {
    const std::string& name = output->kms().connector().name;
    if (auto settled = output->settle(); !settled) log("output").error("{}: {}", name, settled.error().text());
    place(*output);
  }
}

/** Gives an output its place in the layout, where windows and pointer may go, from when it is first shown. */
void OutputManager::place(Output& output) {
  wlr_output* base = output.kms().base();
  const bool known = wlr_output_layout_get(&machine_.layout, base) != nullptr;
  const bool mayShow = known || base->enabled;
  if (!output.settings().enabled) {
    if (known) wlr_output_layout_remove(&machine_.layout, base);
  } else if (const auto& position = output.settings().position) {
    const wlr_output_layout_output* place = wlr_output_layout_get(&machine_.layout, base);
    const bool there =
        place != nullptr && !place->auto_configured && place->x == position->x && place->y == position->y;
    if (!there && mayShow) wlr_output_layout_add(&machine_.layout, base, position->x, position->y);
  } else if (!known && mayShow) {
    wlr_output_layout_add_auto(&machine_.layout, base);
  }
}

void OutputManager::followLayout() {
  std::vector<OutputMove> moves;
  for (const auto& output : outputs_) {
    wlr_box box{};
    wlr_output_layout_get_box(&machine_.layout, output->kms().base(), &box);
    if (box.width == 0) continue; // not in the layout: off, or being destroyed
    wlr_scene_output_set_position(output->sceneOutput(), box.x, box.y);
    if (const auto known = boxes_.find(output.get()); known != boxes_.end()) {
      const wlr_box& before = known->second;
      if (before.x != box.x || before.y != box.y) moves.push_back({before, box.x - before.x, box.y - before.y});
    }
    boxes_[output.get()] = box;
  }
  if (onLayoutChanged) onLayoutChanged(moves);
}

void OutputManager::retryLater() {
  if (active_) retry_.start(firstRetryMilliseconds << std::min(failures_++, mostDoublings));
}

void OutputManager::suspend() {
  active_ = false;
  owned_ = false;
  failures_ = 0;
  retry_.stop();
  for (const auto& output : outputs_)
    output->suspend();
}

void OutputManager::activate() {
  active_ = true;
  machine_.kms.rescan(); // reconciles
}

/** Wants this of the outputs, if the kernel passes a test of it. `before` has what was wanted, also after an error. */
Result<> OutputManager::want(const WantedOutputs& wanted, Before& before) {
  std::vector<Attempt> attempts;
  for (const auto& [name, settings] : wanted) {
    const auto found = std::ranges::find(outputs_, name, [](const auto& each) { return each->kms().connector().name; });
    if (found == outputs_.end()) return invalid("apply", name, "there is no such output");
    Output& output = **found;
    before.emplace_back(&output, output.settings());
    output.configure(settings);
    const auto modes = output.modesToTry();
    if (settings.enabled && (modes.empty() || !output.wants(*modes.front())))
      return invalid("apply", name, "it has no such mode");
    if (output.isWanted() && output.needsModeset()) attempts.push_back({&output, modes.front()});
  }
  return active_ && !attempts.empty() ? tryModes(attempts, Try::Test) : Result<>{};
}

/** Whether the outputs do what was wanted of them. */
Result<> OutputManager::checkApplied(const Before& changed) const {
  for (const auto& [output, settings] : changed) {
    const auto& mode = output->kms().pipe().mode();
    const bool applied = output->isWanted() ? output->isSettled() && mode && output->wants(*mode) : !mode;
    if (!applied) return invalid("apply", output->kms().connector().name, "the display refused it, see above");
  }
  return {};
}

void OutputManager::takeBack(const Before& before) {
  for (const auto& [output, settings] : before)
    output->configure(settings);
  reconcile();
}

Result<> OutputManager::test(const WantedOutputs& wanted) {
  Before before;
  const auto tested = want(wanted, before);
  takeBack(before);
  return tested;
}

Result<> OutputManager::apply(const WantedOutputs& wanted) {
  Before before;
  Result<> done = want(wanted, before);
  if (done && active_) {
    reconcile();
    done = checkApplied(before);
  }
  if (!done) takeBack(before);
  return done;
}

Result<> OutputManager::applyConfiguration(const std::function<OutputSettings(const std::string& name)>& before) {
  WantedOutputs wanted;
  for (const auto& output : outputs_) {
    const std::string& name = output->kms().connector().name;
    const OutputSettings configured = machine_.configured(name);
    if (configured != before(name)) wanted[name] = configured;
  }
  return wanted.empty() ? Result<>{} : apply(wanted);
}

void OutputManager::forgetPictures() {
  for (const auto& output : outputs_)
    output->forgetPicture();
}

void OutputManager::setPower(Output& output, bool on) {
  output.setPower(on);
  reconcile();
}

} // namespace vitrine
