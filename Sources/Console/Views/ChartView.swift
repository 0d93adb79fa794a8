import KeyStore
import Keys

/// The values of the templates `chart` and `spark`: bars of verifications, drawn as SVG by the server.
enum ChartView {
    /// The size of the drawing, in its own units.
    private static let (width, height, left, bottom) = (720.0, 180.0, 40.0, 24.0)

    /// The verdicts in the order of their layers, with the words of the legend.
    static let verdicts: [(code: String, label: String)] = [
        ("valid", "Accepted"), ("rate_limited", "Over a rate limit"), ("insufficient_scope", "Scope missing"),
        ("wrong_address", "Wrong address"), ("wrong_mode", "Wrong mode"), ("wrong_namespace", "Wrong namespace"),
        ("expired", "Expired"), ("disabled", "Disabled"), ("revoked", "Revoked"),
        ("workspace_unavailable", "Workspace unavailable"),
    ]

    /// Returns the values of a chart of one key.
    static func chart(_ bars: [UsageRow], _ period: UsagePeriod, at now: Timestamp) -> [String: Any] {
        let starts = period.starts(until: now)
        var counts: [Timestamp: [String: Int]] = [:]
        for bar in bars { counts[bar.start, default: [:]][bar.code ?? "", default: 0] += bar.count }
        let totals = starts.map { (counts[$0] ?? [:]).values.reduce(0, +) }
        let top = roundedUp(totals.max() ?? 0)
        let step = (width - left) / Double(starts.count)
        var drawn: [[String: Any]] = []
        for (index, start) in starts.enumerated() where totals[index] > 0 {
            drawn.append(
                column(
                    start,
                    counts[start] ?? [:],
                    total: totals[index],
                    x: left + Double(index) * step,
                    step,
                    top,
                    period
                )
            )
        }
        let total = totals.reduce(0, +)
        return [
            "columns": drawn, "isEmpty": total == 0, "total": NumberText.counted(total, "verification"),
            "label":
                "\(NumberText.counted(total, "verification")) in the last \(period == .hour ? "24 hours" : "30 days")",
            "legend": legend(bars), "grid": grid(top), "ticks": ticks(starts, step, period),
            "rows": rows(starts, counts, period), "isHourly": period == .hour, "isDaily": period == .day,
        ]
    }

    private static func column(
        _ start: Timestamp,
        _ counts: [String: Int],
        total: Int,
        x: Double,
        _ step: Double,
        _ top: Int,
        _ period: UsagePeriod
    ) -> [String: Any] {
        var y = height - bottom
        var layers: [[String: Any]] = []
        var words: [String] = []
        for (code, label) in known(counts) {
            guard let count = counts[code], count > 0 else { continue }
            let tall = max(1.5, Double(count) / Double(top) * (height - bottom - 8))
            y -= tall
            layers.append(["y": NumberText.coordinate(y), "height": NumberText.coordinate(tall), "code": code])
            words.append("\(label): \(NumberText.grouped(count))")
        }
        return [
            "x": NumberText.coordinate(x + step * 0.14), "width": NumberText.coordinate(step * 0.72), "layers": layers,
            "hitX": NumberText.coordinate(x), "hitWidth": NumberText.coordinate(step),
            "text": "\(name(start, period)): \(words.joined(separator: ", "))",
            "iso": start.rfc3339, "words": words.joined(separator: ", "),
        ]
    }

    /// Returns the verdicts of some counts: the known ones in their order, then others by name.
    private static func known(_ counts: [String: Int]) -> [(code: String, label: String)] {
        verdicts + counts.keys.filter { code in !verdicts.contains { $0.code == code } }.sorted().map { ($0, $0) }
    }

    private static func legend(_ bars: [UsageRow]) -> [[String: Any]] {
        var counts: [String: Int] = [:]
        for bar in bars { counts[bar.code ?? "", default: 0] += bar.count }
        return known(counts)
            .compactMap { code, label in
                counts[code].map { ["code": code, "label": label, "count": NumberText.grouped($0)] }
            }
    }

    private static func rows(
        _ starts: [Timestamp],
        _ counts: [Timestamp: [String: Int]],
        _ period: UsagePeriod
    ) -> [[String: Any]] {
        starts.reversed()
            .compactMap { start in
                guard let found = counts[start] else { return nil }
                let words = known(found).compactMap { code, label in found[code].map { "\(label): \($0)" } }
                return [
                    "name": name(start, period), "iso": start.rfc3339, "utc": TimeView.full(start),
                    "text": words.joined(separator: ", "),
                ]
            }
    }

    private static func grid(_ top: Int) -> [[String: Any]] {
        [0, 1, 2]
            .map { part in
                let y = height - bottom - Double(part) / 2 * (height - bottom - 8)
                return [
                    "y": NumberText.coordinate(y), "textY": NumberText.coordinate(y + 4),
                    "text": compact(top * part / 2),
                ]
            }
    }

    private static func ticks(_ starts: [Timestamp], _ step: Double, _ period: UsagePeriod) -> [[String: Any]] {
        starts.enumerated().filter { $0.offset % (period == .hour ? 6 : 7) == 0 }
            .map { index, start in
                let text = period == .hour ? String(start.rfc3339.dropFirst(11).prefix(5)) : TimeView.day(start)
                let x = NumberText.coordinate(left + (Double(index) + 0.5) * step)
                return ["x": x, "text": text, "iso": start.rfc3339]
            }
    }

    private static func name(_ start: Timestamp, _ period: UsagePeriod) -> String {
        period == .hour ? "\(TimeView.short(start)) UTC" : TimeView.date(start)
    }

    /// Returns the next of 2, 4, 10, 20, 40, 100 and so on, so that half of it is a whole number.
    private static func roundedUp(_ number: Int) -> Int {
        var unit = 1
        while true {
            for factor in [2, 4, 10] where factor * unit >= number { return factor * unit }
            unit *= 10
        }
    }

    private static func compact(_ number: Int) -> String {
        switch number {
        case ..<10_000: "\(number)"
        case ..<1_000_000: "\(number / 1000)k"
        default: "\(number / 1_000_000)M"
        }
    }

    /// Returns the values of a small chart of the last 24 hours, without words.
    static func spark(_ bars: [UsageRow], at now: Timestamp) -> [String: Any] {
        let starts = UsagePeriod.hour.starts(until: now)
        var accepted: [Timestamp: Int] = [:]
        var refused: [Timestamp: Int] = [:]
        for bar in bars {
            if bar.code == "valid" {
                accepted[bar.start, default: 0] += bar.count
            } else {
                refused[bar.start, default: 0] += bar.count
            }
        }
        let top = Double(max(1, starts.map { (accepted[$0] ?? 0) + (refused[$0] ?? 0) }.max() ?? 0))
        let drawn = starts.enumerated()
            .map { index, start -> [String: Any] in
                let (good, bad) = (Double(accepted[start] ?? 0), Double(refused[start] ?? 0))
                let (goodHeight, badHeight) = (good / top * 26, bad / top * 26)
                let isEmpty = good + bad == 0
                return [
                    "x": NumberText.coordinate(Double(index) * 5),
                    "y": NumberText.coordinate(isEmpty ? 27 : 28 - goodHeight),
                    "height": NumberText.coordinate(isEmpty ? 1 : goodHeight), "isEmpty": isEmpty,
                    "badY": NumberText.coordinate(28 - goodHeight - badHeight),
                    "badHeight": NumberText.coordinate(badHeight),
                    "hasBad": bad > 0,
                ]
            }
        let total = bars.reduce(0) { $0 + $1.count }
        let bad = refused.values.reduce(0, +)
        return [
            "bars": drawn, "total": NumberText.grouped(total), "refused": bad > 0 ? NumberText.grouped(bad) : "",
            "hasRefused": bad > 0,
        ]
    }
}
