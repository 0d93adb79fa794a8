extension String {
    /// The text with the characters escaped that control a terminal.
    ///
    /// Tenants choose names, and operators read them. Escape sequences can move the cursor or rename the window.
    /// Bidirectional controls can disguise text (Unicode Technical Report 36, section 2.5).
    package var printable: String {
        guard unicodeScalars.contains(where: \.controlsTerminal) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.controlsTerminal {
                text.append("\\u{\(String(scalar.value, radix: 16))}")
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The lines of a message, with the characters escaped that control a terminal.
    ///
    /// A tab, which libpq writes before its advice, becomes a space.
    package var printableLines: [String] {
        split(whereSeparator: \.isNewline).map { String($0).replacing("\t", with: " ").printable }
    }

    /// The approximate width of the text in columns of a terminal: 2 for wide characters, 0 for combining ones.
    package var columns: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return reduce(0) { $0 + $1.columns }
    }

    /// Returns the text cut to `width` columns, with an ellipsis at the end if something is missing.
    package func cut(to width: Int) -> String {
        guard columns > width else { return self }
        var text = ""
        var used = 1
        for character in self {
            used += character.columns
            if used > width { break }
            text.append(character)
        }
        return text + "…"
    }

    /// Returns the text with blanks after it, up to `width` columns.
    package func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - columns))
    }
}

extension Character {
    fileprivate var columns: Int {
        unicodeScalars.reduce(0) { max($0, $1.columns) }
    }
}

extension Unicode.Scalar {
    /// True if the character moves the cursor, changes the terminal, or the direction of text.
    var controlsTerminal: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: properties.isBidiControl
        }
    }

    fileprivate var columns: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: 0
        default: isWide ? 2 : 1
        }
    }

    /// True for the blocks that Unicode Standard Annex 11 calls wide.
    ///
    /// It goes by block rather than by scalar.
    private var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
