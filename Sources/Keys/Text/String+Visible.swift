extension String {
    /// The characters that a person can see: without white space, control characters, marks of direction, and characters that have no width
    /// or no ink (Unicode's property Default_Ignorable_Code_Point, and the empty pattern of braille).
    package var visible: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.filter { scalar in
                    let properties = scalar.properties
                    return !properties.isWhitespace && !properties.isBidiControl
                        && !properties.isDefaultIgnorableCodePoint && scalar != "\u{2800}"
                        && properties.generalCategory != .control && properties.generalCategory != .format
                }
            )
        )
    }
}
