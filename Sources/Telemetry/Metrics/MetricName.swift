/// Names and labels as Prometheus wants them.
enum MetricName {
    /// A name of `[a-zA-Z_:][a-zA-Z0-9_:]*`, other characters replaced by `_`, with the ending that its type asks for.
    static func name(_ label: String, suffix: String) -> String {
        let name = sanitized(label, allowingColon: true)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// The labels in order of their names, `a="b",c="d"`; empty without labels.
    ///
    /// Of two with one name the last counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (name, value) in dimensions { values[sanitized(name, allowingColon: false)] = value }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// A text with backslashes and line feeds escaped, and quotation marks inside labels.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func sanitized(_ text: String, allowingColon: Bool) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
            let isDigit = ("0"..."9").contains(scalar)
            if index == 0, isDigit { result += "_" }
            let isAllowed = isLetter || isDigit || (allowingColon && scalar == ":")
            result.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        return result.isEmpty ? "_" : result
    }
}
