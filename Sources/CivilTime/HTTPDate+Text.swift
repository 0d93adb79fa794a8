extension HTTPDate {
    /// Returns the text of an instant, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// - Parameter seconds: The instant, in seconds since 1970. An instant outside of the years 0000 to 9999 counts as the
    ///   nearest instant inside.
    /// - Returns: The text, which has 29 characters.
    package static func text(seconds: Int) -> String {
        let (days, second) = min(max(seconds, earliest), latest).dividedDown(by: 86_400)
        let date = CivilDate(daysSinceUnixEpoch: days)
        return String(unsafeUninitializedCapacity: 29) { buffer in
            var writer = ASCIIWriter(buffer)
            writer.append(weekdays[date.weekday])
            writer.append(", ")
            writer.append2(date.day)
            writer.append(0x20)
            writer.append(months[date.month - 1])
            writer.append(0x20)
            writer.append4(date.year)
            writer.append(0x20)
            writer.appendTime(second)
            writer.append(" GMT")
            return writer.count
        }
    }

    /// 0000-01-01T00:00:00Z.
    private static let earliest = -62_167_219_200

    /// 9999-12-31T23:59:59Z.
    private static let latest = 253_402_300_799
}
