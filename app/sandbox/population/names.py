"""Names for invented people, from many places, letters outside ASCII included."""

FIRST = tuple(
    name
    for line in (
        "Ada Amara Aiko Andrés Anouk Arjun Astrid Ayşe Beatriz Bilal Björn Camille Chen Chidi Clara Daniela",
        "Dmitri Elif Emeka Emma Fatima Felix Freya Gabriel Giulia Grace Hana Henrik Hiro Ibrahim Ines Ingrid",
        "Isabella Ivan Jamal Jana Javier Jin Johanna Jonas Kaito Karim Katarzyna Kofi Lars Laura Leila Liam",
        "Lin Lucía Malik Marek Maria Mateo Mehmet Mei Mia Min-jun Mohammed Nadia Naomi Neha Nia Nikolai Noah",
        "Nora Olga Oliver Omar Paula Pedro Petra Priya Rafael Ravi Rosa Sakura Samira Sanjay Sara Seo-yeon",
        "Sofia Stefan Tariq Thandi Theo Tomás Uma Valentina Viktor Wanjiru Wei Yara Yuki Yusuf Zainab Zofia",
    )
    for name in line.split()
)
LAST = tuple(
    name
    for line in (
        "Abe Adeyemi Ahmed Almeida Andersson Bauer Bernard Bianchi Brown Castillo Chowdhury Costa Demir",
        "Diallo Dubois Eriksson Evans Fernández Fischer Fofanah García Green Gupta Haddad Hansen Hassan",
        "Horváth Ito Ivanov Jansen Johnson Kamau Kaplan Keller Khan Kim Kowalski Kumar Larsen Lee Lefèvre Li",
        "Lindqvist López Martin Mensah Meyer Moreau Müller Murphy Nakamura Ndlovu Nguyen Nielsen Novák Nowak",
        "O'Brien Okafor Oliveira Osei Park Patel Pereira Petrov Popescu Ramos Reyes Rossi Santos",
        "Sato Schmidt Shah Silva Singh Smith Suzuki Svensson Takahashi Tanaka Torres Traoré Tran Wagner",
        "Walker Wang Weber Williams Wójcik Wright Yamamoto Yang Zhang Zimmermann",
    )
    for name in line.split()
)
