// Draws with lines and text only: no script, no style sheet, no font of its own.
#include "plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "benchmarks.h"

namespace cancelsafe {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 150;  // room for the labels of the lines
constexpr double kTop = 40;
constexpr double kBottom = 50;
constexpr double kLabelHeight = 14;
constexpr double kDecadesAcross = 5;  // 1 to 100,000 entries
constexpr const char* kColours[] = {"#0b5fa5", "#c2410c", "#4d7c0f", "#7e22ce", "#525252"};

template <typename... Arguments>
std::string Format(const char* format, Arguments... arguments) {
  char text[512];
  std::snprintf(text, sizeof(text), format, arguments...);
  return text;
}

// Position of measured values on the page.
struct Scale {
  double lowest;  // decades of nanoseconds
  double highest;
  double X(double depth) const {
    return kLeft + std::log10(depth) / kDecadesAcross * (kWidth - kLeft - kRight);
  }
  double Y(double nanoseconds) const {
    const double part = (std::log10(nanoseconds) - lowest) / (highest - lowest);
    return kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
};

// The steps of a logarithmic axis: 1, 2, 5, 10, 20, ...
double Step(int index) {
  constexpr double kSteps[] = {1, 2, 5};
  return std::pow(10, index / 3) * kSteps[index % 3];
}
constexpr int kStepCount = 31;  // up to ten seconds

// From the step below the lowest cost to the one above the highest.
Scale ScaleOf(const std::vector<PlotLine>& lines, const Measurements& measurements) {
  double lowest = HUGE_VAL;
  double highest = 0;
  for (const PlotLine& line : lines) {
    for (int depth : kBenchmarkDepths) {
      const auto cost = measurements.Cost(line.prefix + "/" + std::to_string(depth));
      if (!cost) continue;
      lowest = std::fmin(lowest, cost->value);
      highest = std::fmax(highest, cost->value);
    }
  }
  int first = 0;
  while (first + 1 < kStepCount && Step(first + 1) <= lowest) ++first;
  int last = first;
  while (last + 1 < kStepCount && Step(last) < highest) ++last;
  return {std::log10(Step(first)), std::log10(Step(last))};
}

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return Format("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                text.c_str());
}

std::string Line(double x1, double y1, double x2, double y2, const char* colour) {
  return Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1,
                x2, y2, colour);
}

std::string Duration(double nanoseconds) {
  if (nanoseconds < 1e3) return Format("%.0f ns", nanoseconds);
  if (nanoseconds < 1e6) return Format("%.0f \u00b5s", nanoseconds / 1e3);
  return Format("%.0f ms", nanoseconds / 1e6);
}

std::string Count(int entries) {
  return entries < 1000 ? std::to_string(entries) : std::to_string(entries / 1000) + " k";
}

std::string Grid(const Scale& scale) {
  std::string svg;
  const bool wide = scale.highest - scale.lowest > 3;  // room for the decades' names only
  for (int index = 0; index < kStepCount; ++index) {
    const double nanoseconds = Step(index);
    const double decades = std::log10(nanoseconds);
    if (decades < scale.lowest - 1e-9 || decades > scale.highest + 1e-9) continue;
    const double y = scale.Y(nanoseconds);
    const bool named = !wide || index % 3 == 0;
    svg += Line(kLeft, y, kWidth - kRight, y, named ? "#ccc" : "#eee");
    if (named) svg += Text(kLeft - 6, y + 4, "end", Duration(nanoseconds));
  }
  for (int depth : kBenchmarkDepths) {
    svg += Line(scale.X(depth), kTop, scale.X(depth), kHeight - kBottom, "#ccc");
    svg += Text(scale.X(depth), kHeight - kBottom + 18, "middle", Count(depth));
  }
  svg += Text((kLeft + kWidth - kRight) / 2, kHeight - 10, "middle",
              "entries in the queue (both axes logarithmic)");
  return svg;
}

// One line with its points, and where on the page it ends; nothing if it has none.
std::optional<double> DrawLine(const PlotLine& line, const char* colour, const Scale& scale,
                               const Measurements& measurements, std::string* svg) {
  std::string points;
  std::string dots;
  std::optional<double> end;
  for (int depth : kBenchmarkDepths) {
    const auto cost = measurements.Cost(line.prefix + "/" + std::to_string(depth));
    if (!cost) continue;
    end = scale.Y(cost->value);
    points += Format("%.1f,%.1f ", scale.X(depth), *end);
    dots += Format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", scale.X(depth), *end,
                   colour);
  }
  if (end) {
    *svg += Format("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"%s\"/>\n",
                   colour, points.c_str()) +
            dots;
  }
  return end;
}

struct Label {
  double y;
  const char* colour;
  std::string text;
};

// Top to bottom in the order of the lines' ends, each below the one above it.
std::string DrawLabels(std::vector<Label> labels) {
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.y < b.y; });
  std::string svg;
  double free = 0;
  for (const Label& label : labels) {
    const double y = std::fmax(label.y, free);
    free = y + kLabelHeight;
    svg += Format("<text x=\"%.0f\" y=\"%.0f\" fill=\"%s\">%s</text>\n", kWidth - kRight + 8, y + 4,
                  label.colour, label.text.c_str());
  }
  return svg;
}

}  // namespace

std::string PlotAsSvg(const std::string& title, const std::vector<PlotLine>& lines,
                      const Measurements& measurements) {
  const Scale scale = ScaleOf(lines, measurements);
  std::string svg = Format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
      "fill=\"#fff\"/>\n",
      kWidth, kHeight);
  svg += Format("<text x=\"%.0f\" y=\"22\" font-weight=\"bold\">%s</text>\n", kLeft, title.c_str());
  if (!(scale.highest > scale.lowest)) return svg + "</svg>\n";
  svg += Grid(scale);
  std::vector<Label> labels;
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % (sizeof(kColours) / sizeof(kColours[0]))];
    const auto end = DrawLine(lines[i], colour, scale, measurements, &svg);
    if (end) labels.push_back({*end, colour, lines[i].label});
  }
  return svg + DrawLabels(std::move(labels)) + "</svg>\n";
}

}  // namespace cancelsafe
