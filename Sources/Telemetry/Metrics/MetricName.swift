/// Names and labels in Prometheus' syntax.
enum MetricName {
    /// Returns a name of `[a-zA-Z_:][a-zA-Z0-9_:]*` with the suffix of its type.
    ///
    /// Other characters become `_`.
    static func name(_ label: String, suffix: String) -> String {
        let name = sanitized(label, allowingColon: true)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// Returns the labels in the order of their names, such as `a="b",c="d"`, or an empty text without labels.
    ///
    /// If two labels have the same name, the last counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var values: [String: String] = [:]
        for (name, value) in dimensions { values[sanitized(name, allowingColon: false)] = value }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// Returns a text with escaped backslashes and line feeds, and with escaped quotation marks if `quotes` is true.
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
