/// The spelling of sizes for people.
package enum SizeText {
    /// Returns a size, such as "120 KiB".
    ///
    /// The unit is the largest one in which the number is 10 or more.
    package static func text(bytes: Int) -> String {
        var (value, unit) = (bytes, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 10_240, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(value) \(units[unit])"
    }
}
