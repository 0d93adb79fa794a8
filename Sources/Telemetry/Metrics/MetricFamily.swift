/// All series of one name.
struct MetricFamily {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    let kind: Kind
    var series: [String: any MetricSeries] = [:]

    func write(name: String, help: String?, to text: inout String) {
        if let help { text += "# HELP \(name) \(MetricName.escaped(help, quotes: false))\n" }
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for (labels, series) in series.sorted(by: { $0.key < $1.key }) {
            series.write(name: name, labels: labels, to: &text)
        }
    }
}

/// One combination of labels under a name.
protocol MetricSeries: AnyObject, Sendable {
    /// Appends the sample lines.
    func write(name: String, labels: String, to text: inout String)
}

enum MetricSample {
    static func write(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// A number in the spelling of the format, which writes infinities and NaN in its own way.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.description
    }
}
