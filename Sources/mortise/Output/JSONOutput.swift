import JSON

extension JSONValue {
    /// The value as JSON text, with the characters escaped that control a terminal.
    ///
    /// A person can look at the output of a script, too. The text has the same meaning for a parser.
    package var outputText: String {
        let text = text
        guard text.unicodeScalars.contains(where: \.controlsTerminal) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            // All of these characters have four hexadecimal digits, and compact JSON has none of them outside of strings.
            if scalar.controlsTerminal {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
