/// The series of one name.
struct MetricFamily {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    /// The largest number of counters of one name that are shown before their first value.
    private static let few = 50

    let kind: Kind
    var series: [String: any MetricSeries] = [:]

    func write(name: String, help: String?, to text: inout String) {
        // A series of many labels appears with its first value. Few ones are shown from the start, so that a rate sees their first value.
        let shown = series.filter { kind == .counter && series.count <= Self.few || !$0.value.isUnused }
        guard !shown.isEmpty else { return }
        text += "# HELP \(name) \(MetricName.escaped(help ?? "A metric of a library.", quotes: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for (labels, series) in shown.sorted(by: { $0.key < $1.key }) {
            series.write(name: name, labels: labels, to: &text)
        }
    }
}

/// The value of one combination of labels.
protocol MetricSeries: AnyObject, Sendable {
    /// Appends the sample lines.
    func write(name: String, labels: String, to text: inout String)

    /// True for a counter or a histogram that has never counted anything.
    var isUnused: Bool { get }
}

enum MetricSample {
    static func write(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Returns a number as the text format writes it, with `+Inf`, `-Inf` and `NaN`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.description
    }
}
