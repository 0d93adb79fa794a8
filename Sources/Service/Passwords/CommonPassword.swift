/// The rule against passwords that attackers try first.
///
/// NIST SP 800-63B section 5.1.1.2 asks for a comparison with values that are commonly used, expected or compromised. A
/// list of leaked passwords has few that are as long as ``NewPassword/length`` asks for. Nearly all of those have one of
/// four forms, which this type recognizes: a common word with an addition, common words in a row, a sequence of the
/// keyboard, and a repeated beginning.
enum CommonPassword {
    /// Returns true if a password has one of the forms.
    static func matches(_ password: String) -> Bool {
        let text = password.lowercased()
        return isRepetition(text) || isSequence(text) || [text, plain(text)].contains(where: isOfCommonWords)
    }

    // MARK: Repetitions and sequences

    /// Returns true if a text repeats a beginning of at most six characters, such as `abc123abc123`.
    private static func isRepetition(_ text: String) -> Bool {
        let characters = Array(text)
        return (1...6)
            .contains { length in
                length < characters.count && characters.indices.allSatisfy { characters[$0] == characters[$0 % length] }
            }
    }

    /// The orders in which keys stand beside each other or count upwards.
    private static let sequences = [
        "01234567890123456789012345678901234567890", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiop", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p",
        "q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j", "1234qwerasdfzxcv",
        "qwer1234asdf5678zxcv",
    ]
    .flatMap { [$0, String($0.reversed())] }

    /// The shortest part of a sequence that counts in a longer password.
    private static let shortestPart = 4

    /// Returns true if a text consists of parts of sequences, such as `qwerty123456`.
    private static func isSequence(_ text: String) -> Bool {
        var rest = Substring(text)
        while !rest.isEmpty {
            let lengths = stride(from: min(rest.count, 40), through: min(shortestPart, rest.count), by: -1)
            guard let length = lengths.first(where: { isPart(rest.prefix($0)) }) else { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }

    private static func isPart(_ text: Substring) -> Bool { sequences.contains { $0.contains(text) } }

    // MARK: Common words

    private static let words: Set<Substring> = [
        "abc", "access", "admin", "administrator", "api", "apikey", "asdf", "asdfgh", "bailey", "baseball",
        "basketball",
        "batman", "changeit", "changeme", "charlie", "chocolate", "company", "computer", "cookie", "database",
        "default",
        "demo", "dragon", "flower", "football", "freedom", "fuckyou", "guest", "hallo", "hello", "hottie", "iloveyou",
        "internet", "jesus", "jordan", "killer", "letmein", "liverpool", "login", "loveme", "lovely", "master",
        "michael",
        "monkey", "mortise", "mustang", "mypass", "mypassword", "ninja", "pass", "passcode", "passphrase", "password",
        "passwort", "passwd", "pokemon", "postgres", "princess", "qazwsx", "qwer", "qwert", "qwerty", "qwertz", "root",
        "secret", "server", "service", "shadow", "soccer", "spring", "starwars", "summer", "autumn", "winter",
        "sunshine",
        "superman", "supersecret", "system", "temp", "temporary", "test", "tester", "testing", "testtest", "the",
        "this",
        "is", "my", "your", "trustno", "trustnoone", "user", "username", "welcome", "whatever", "xxx", "zxcvbn", "zaq",
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december", "monday", "friday", "sunday",
    ]

    private static let longestWord = 14

    /// Returns true if a text without its digits and signs consists of common words.
    ///
    /// A text with a space is a phrase, which people choose for its length.
    private static func isOfCommonWords(_ text: String) -> Bool {
        guard !text.contains(" ") else { return false }
        let letters = text.filter(\.isLetter)
        guard !letters.isEmpty else { return false }
        // The ends of the words that the text can be cut into.
        var ends: Set<Int> = [0]
        let characters = Array(letters)
        for start in characters.indices where ends.contains(start) {
            for length in 1...longestWord where start + length <= characters.count {
                if words.contains(Substring(String(characters[start..<start + length]))) { ends.insert(start + length) }
            }
        }
        return ends.contains(characters.count)
    }

    /// Returns a text with the letters that its digits and signs stand for.
    private static func plain(_ text: String) -> String {
        let letters: [Character: Character] = [
            "@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t",
        ]
        // Digits at the end are an addition and not letters.
        let core = text.reversed().drop { !$0.isLetter }.reversed()
        return String(core.map { letters[$0] ?? $0 })
    }
}
