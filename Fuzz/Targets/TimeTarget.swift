import CivilTime
import Keys

extension FuzzTarget {
    static func checkTime(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        try checkRFC3339(text)
        // The first bytes of the input are the clock too, so that a year of two digits meets every clock.
        let clock = input.prefix(8).reduce(0) { $0 << 8 | Int($1) }
        for now in [0, 1_772_366_400, clock, .min, .max] { try checkHTTPDate(text, now: now) }
    }

    private static func checkRFC3339(_ text: String) throws(BrokenProperty) {
        guard let instant = RFC3339.microseconds(text) else {
            try require(Timestamp(rfc3339: text) == nil, "a text is refused everywhere")
            return
        }
        try require(text.utf8.count <= RFC3339.maximumLength, "an accepted text is not longer than the longest")
        try require(text.utf8.allSatisfy { $0 < 0x80 }, "an accepted text is ASCII")
        let digits: [RFC3339.FractionDigits] = [.none, .three, .six]
        let isInside = (-62_167_219_200_000_000...253_402_300_799_999_999).contains(instant)
        for digits in digits where isInside {
            let written = RFC3339.text(microseconds: instant, digits: digits)
            try require(RFC3339.microseconds(written) == instant, "an instant is read back from its text")
        }
        let timestamp = try unwrap(Timestamp(rfc3339: text), "a text is accepted everywhere")
        try require(Timestamp(rfc3339: timestamp.rfc3339) == timestamp, "a timestamp is read back from its text")
    }

    private static func checkHTTPDate(_ text: String, now: Int) throws(BrokenProperty) {
        guard let instant = HTTPDate.seconds(text, now: now) else { return }
        let written = HTTPDate.text(seconds: instant)
        // The leap second of the last year is the first second of a year that has five digits.
        guard instant <= 253_402_300_799 else { return }
        try require(HTTPDate.seconds(written, now: now) == instant, "an instant is read back from its date")
        try require(written.utf8.count == 29, "a written date has 29 characters")
        // The names and digits of a canonical text are those that the writer chooses.
        if text.hasSuffix("GMT"), text.utf8.count == 29, !text.contains(":60") {
            try require(written == text, "a canonical date has one spelling")
        }
    }
}
