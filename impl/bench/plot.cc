// Draws with lines and text only: no script, no style sheet, no font of its own.
#include "plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "benchmarks.h"

namespace cancelsafe {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 400;
constexpr double kLeft = 70;
constexpr double kRight = 150;  // room for the labels of the lines
constexpr double kTop = 40;
constexpr double kBottom = 50;
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

Scale ScaleOf(const std::vector<PlotLine>& lines, const Measurements& measurements) {
  Scale scale = {10, 0};
  for (const PlotLine& line : lines) {
    for (int depth : kBenchmarkDepths) {
      const auto cost = measurements.Cost(line.prefix + "/" + std::to_string(depth));
      if (!cost) continue;
      scale.lowest = std::fmin(scale.lowest, std::floor(std::log10(cost->value)));
      scale.highest = std::fmax(scale.highest, std::ceil(std::log10(cost->value)));
    }
  }
  return scale;
}

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return Format("<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                text.c_str());
}

std::string Line(double x1, double y1, double x2, double y2) {
  return Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/>\n", x1, y1,
                x2, y2);
}

std::string Grid(const Scale& scale) {
  std::string svg;
  for (double decade = scale.lowest; decade <= scale.highest; ++decade) {
    const double nanoseconds = std::pow(10, decade);
    const double y = scale.Y(nanoseconds);
    svg += Line(kLeft, y, kWidth - kRight, y);
    svg += Text(kLeft - 6, y + 4, "end", Format("%.0f ns", nanoseconds));
  }
  for (int depth : kBenchmarkDepths) {
    svg += Line(scale.X(depth), kTop, scale.X(depth), kHeight - kBottom);
    svg += Text(scale.X(depth), kHeight - kBottom + 18, "middle", std::to_string(depth));
  }
  svg += Text((kLeft + kWidth - kRight) / 2, kHeight - 10, "middle", "entries in the queue");
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
  svg += Text(kLeft, 22, "start", title);
  if (scale.highest <= scale.lowest) return svg + "</svg>\n";
  svg += Grid(scale);
  std::vector<double> labels;
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % (sizeof(kColours) / sizeof(kColours[0]))];
    std::string points;
    double end = 0;
    for (int depth : kBenchmarkDepths) {
      const auto cost = measurements.Cost(lines[i].prefix + "/" + std::to_string(depth));
      if (!cost) continue;
      end = scale.Y(cost->value);
      points += Format("%.1f,%.1f ", scale.X(depth), end);
    }
    if (points.empty()) continue;
    svg += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + std::string(colour) +
           "\" points=\"" + points + "\"/>\n";
    // Below every label that it would touch.
    while (std::any_of(labels.begin(), labels.end(),
                       [end](double label) { return std::fabs(end - label) < 13; })) {
      ++end;
    }
    labels.push_back(end);
    svg += Format("<text x=\"%.0f\" y=\"%.0f\" fill=\"%s\">%s</text>\n", kWidth - kRight + 6,
                  end + 4, colour, lines[i].label.c_str());
  }
  return svg + "</svg>\n";
}

}  // namespace cancelsafe
