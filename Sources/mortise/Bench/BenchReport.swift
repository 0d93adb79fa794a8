import JSON

/// The result of a load test, for people and for programs.
struct BenchReport {
    let result: LoadResult
    let time: Duration
    /// The requests per second that were wanted; `nil` if each connection sent as fast as it could.
    let rate: Int?

    private static let quantiles: [(name: String, share: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
    ]

    private var seconds: Double { max(time / .seconds(1), 0.000_001) }
    private var throughput: Double { Double(result.answers) / seconds }

    /// The lines for people.
    var lines: [String] {
        var lines = [
            "Answers      \(result.answers) in \(Self.number(seconds, 1)) s, \(Self.number(throughput, 0)) per second"
        ]
        for kind in BenchMix.Kind.allCases {
            if let count = result.right[kind] { lines.append("  \(kind.rawValue.padding(11))\(count)") }
        }
        if result.latencies.count > 0 { lines += latencies }
        if result.wrong > 0 { lines.append("Wrong        \(result.wrong) answers") }
        if let first = result.firstWrong { lines.append("  The first: \(first.printable)") }
        if result.missed > 0 { lines.append("Not sent     \(result.missed) requests that were due before the end") }
        if result.lost > 0 { lines.append("Lost         \(result.lost) connections") }
        return lines
    }

    private var latencies: [String] {
        let unmeasured = rate == nil ? "" : ", from the time at which each request was due"
        var lines = ["Latency      in milliseconds\(unmeasured)"]
        let longest = max(result.latencies.quantile(1), 1)
        for (name, share) in Self.quantiles {
            let value = result.latencies.quantile(share)
            // A logarithmic bar, because the longest latency is often a thousand times the usual one.
            let width = 1 + Self.logarithm(value) * 30 / max(Self.logarithm(longest), 1)
            let text = Self.number(Double(value) / 1_000_000, 3)
            let blanks = String(repeating: " ", count: max(12 - text.count, 0))
            lines.append("  \(name.padding(7))\(blanks)\(text)  \(String(repeating: "█", count: width))")
        }
        return lines
    }

    /// The report as JSON.
    var json: JSONValue {
        var object = JSONObject()
        object["answers"] = .integer(Int64(result.answers))
        object["seconds"] = Self.json(seconds)
        object["per_second"] = Self.json(throughput)
        if let rate { object["rate"] = .integer(Int64(rate)) }
        var latency = JSONObject()
        for (name, share) in Self.quantiles {
            latency[name] = Self.json(Double(result.latencies.quantile(share)) / 1_000_000)
        }
        object["latency_ms"] = .object(latency)
        var right = JSONObject()
        for kind in BenchMix.Kind.allCases {
            if let count = result.right[kind] { right[kind.rawValue] = .integer(Int64(count)) }
        }
        object["right"] = .object(right)
        object["wrong"] = .integer(Int64(result.wrong))
        object["not_sent"] = .integer(Int64(result.missed))
        object["lost_connections"] = .integer(Int64(result.lost))
        return .object(object)
    }

    private static func json(_ value: Double) -> JSONValue {
        JSONNumber((value * 1000).rounded() / 1000).map(JSONValue.number) ?? .null
    }

    /// Returns the number of binary digits of a duration in microseconds.
    private static func logarithm(_ nanoseconds: Int64) -> Int { 64 - max(nanoseconds / 1000, 1).leadingZeroBitCount }

    /// Returns a number with a fixed number of decimals.
    private static func number(_ value: Double, _ decimals: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<decimals { scale *= 10 }
        let units = Int64((value * Double(scale)).rounded())
        guard decimals > 0 else { return units.description }
        let fraction = (units % scale).description
        return "\(units / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}

extension String {
    /// The text with blanks behind it.
    fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
