#include "tests/board/plane-bench/plot.h"

#include <algorithm>
#include <cmath>
#include <format>

#include "tests/board/plane-bench/number_text.h"
#include "tests/board/plane-bench/statistics.h"

namespace vitrine::bench {
namespace {

constexpr double margin = 6;
constexpr double rowHeight = 40;
constexpr double base = 30; ///< of the histogram; dots lie below it
constexpr size_t bins = 92;

/** 1, 2 or 5 times a power of ten, so that `span` has about five steps. */
double roundStep(double span) {
  const double power = std::pow(10, std::floor(std::log10(span / 5)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (span / (factor * power) <= 6) return factor * power;
  }
  return 10 * power;
}

std::string line(double x, const char* className) {
  return std::format(R"(<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="2" y2="{:.1f}"/>)", className, x, x, base);
}

bool isDistribution(const Series& series) {
  return std::ranges::any_of(series.repetitions, [](const Samples& samples) { return samples.size() > 1; });
}

} // namespace

PlotAxis::PlotAxis(const std::vector<const Series*>& group) {
  double low = 0;
  double high = 0;
  bool first = true;
  for (const Series* series : group) {
    Samples all = series->all();
    if (all.empty()) continue;
    std::ranges::sort(all);
    // Rare values far away would squeeze all others into one step.
    const double quarter = percentile(all, 0.25);
    const double threeQuarters = percentile(all, 0.75);
    const double top =
        std::min(all.back(), std::max(threeQuarters + 6 * (threeQuarters - quarter), 1.3 * threeQuarters));
    low = first ? all.front() : std::min(low, all.front());
    high = first ? top : std::max(high, top);
    first = false;
  }
  if (low > 0 && low < 0.7 * high) low = 0; // zero belongs to a scale unless it would squeeze everything
  if (!group.empty() && !isDistribution(*group[0])) low = std::min(low, 0.0);
  if (high <= low) high = low + std::max(1.0, std::abs(low) * 0.1);
  step_ = roundStep(high - low);
  low_ = std::floor(low / step_) * step_;
  high_ = std::max(std::ceil(high / step_) * step_, low_ + step_);
}

double PlotAxis::place(double value) const {
  return margin + (std::clamp(value, low_, high_) - low_) / (high_ - low_) * (width - 2 * margin);
}

std::string PlotAxis::scaleSvg() const {
  std::string svg = std::format(R"(<svg width="{0:.0f}" height="16" viewBox="0 0 {0:.0f} 16">)", width);
  for (double value = low_; value <= high_ + step_ / 2; value += step_) {
    const char* anchor = value < low_ + step_ / 2 ? "start" : value > high_ - step_ / 2 ? "end" : "middle";
    const double x = place(value) + (*anchor == 's' ? -margin : *anchor == 'e' ? margin : 0);
    svg += std::format(R"(<text x="{:.1f}" y="12" text-anchor="{}">{}</text>)", x, anchor, numberText(value));
  }
  return svg + "</svg>";
}

std::string PlotAxis::histogram(const Samples& all) const {
  std::vector<double> counts(bins, 0.0);
  for (const double value : all) {
    const double share = (std::clamp(value, low_, high_) - low_) / (high_ - low_);
    counts[std::min(static_cast<size_t>(share * bins), bins - 1)] += 1;
  }
  const double tallest = *std::ranges::max_element(counts);
  const double binWidth = (width - 2 * margin) / static_cast<double>(bins);
  std::string path = std::format("M{:.1f} {:.1f}", margin, base);
  for (size_t bin = 0; bin < bins; ++bin) {
    const double height = counts[bin] == 0 ? 0 : 1 + counts[bin] / tallest * (base - 4);
    path += std::format("V{:.1f}h{:.2f}", base - height, binWidth);
  }
  return std::format(R"(<path class="area" d="{}V{:.1f}Z"/>)", path, base);
}

std::string PlotAxis::dots(const Series& series) const {
  std::string svg;
  for (const Samples& samples : series.repetitions) {
    if (samples.empty()) continue;
    svg += std::format(R"(<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.2"/>)", place(summarize(samples).p50),
                       base + 6);
  }
  return svg;
}

std::string PlotAxis::rowSvg(const Series& series) const {
  const Samples all = series.all();
  const Summary summary = summarize(all);
  std::string svg =
      std::format(R"(<svg width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}">)", width, rowHeight);
  for (double value = low_; value <= high_ + step_ / 2; value += step_)
    svg += line(place(value), "grid");
  if (isDistribution(series)) {
    svg += histogram(all) + line(place(summary.p50), "mark") + line(place(summary.p95), "mark dashed");
  } else {
    const double from = place(0);
    svg += std::format(R"(<rect class="area" x="{:.1f}" y="12" width="{:.1f}" height="{:.1f}"/>)",
                       std::min(from, place(summary.p50)), std::abs(place(summary.p50) - from), base - 14);
  }
  return svg + dots(series) + "</svg>";
}

} // namespace vitrine::bench
